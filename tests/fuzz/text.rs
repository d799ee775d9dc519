//! What comes as text: SQL, and the lines of COPY.

use super::{Target, hash};
use crate::sim::node::real_dialect;
use quorate::engine::{Engine, Options};
use quorate::sql::catalog::Catalog;
use quorate::sql::copy::{CopyReader, CopyWriter};
use quorate::sql::plan::{CopyFormat, PlanKind};
use quorate::sql::{Scope, compile, database_migrations, parse_within};
use std::path::PathBuf;
use std::sync::Arc;

/// The statements of all scripts, each in its order.
pub fn scripts() -> Vec<Vec<String>> {
    let directory = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/sql/scripts");
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(directory).expect("the scripts").map(|file| file.expect("a script").path()).collect();
    files.sort();
    let read = |file: PathBuf| {
        let mut all = Vec::new();
        let text = std::fs::read_to_string(file).expect("a script");
        for part in text.split("\n\n") {
            let lines = part.lines().filter(|line| !line.starts_with("--"));
            let statement = lines.collect::<Vec<_>>().join("\n");
            if !statement.trim().is_empty() {
                all.push(statement);
            }
        }
        all
    };
    files.into_iter().map(read).collect()
}

pub fn catalog() -> Arc<Catalog> {
    let directory = tempfile::tempdir().expect("a temporary directory");
    let mut options = Options::new(directory.path(), real_dialect());
    options.migrations = database_migrations().to_vec();
    let (_engine, shared) = Engine::open(options).expect("a new database");
    shared.catalog()
}

/// What a text comes to, in short; `Err` for what must not be.
fn translate(text: &str, catalog: &Catalog) -> Result<Vec<String>, String> {
    let (env, path) = (Default::default(), vec!["public".to_owned()]);
    let allowance = quorate::sql::allowance::Allowance::within(Box::new(|| Ok(())));
    let scope = Scope { allowance: &allowance, ..Scope::plain(catalog, &path, &env, "quorate", "quorate") };
    let judge = |error: &quorate::error::SqlError| match error.code.as_str() {
        "XX000" => Err(format!("{error}")),
        code => Ok(format!("{code} {}", error.message)),
    };
    let parsed = match parse_within(text, &allowance) {
        Ok(parsed) => parsed,
        Err(error) => return Ok(vec![judge(&error)?]),
    };
    let mut told = Vec::new();
    for parsed in parsed.iter().take(4) {
        told.push(match compile(parsed, &scope) {
            Err(error) => judge(&error)?,
            Ok(plan) => match &plan.kind {
                PlanKind::Read(read) => read.sql.to_string(),
                PlanKind::Write(write) => write.statements.iter().map(|s| s.sql.as_str()).collect::<Vec<_>>().join(";"),
                other => format!("{:?}", std::mem::discriminant(other)),
            },
        });
    }
    Ok(told)
}

/// The form of a translation, or of an error: words without names and numbers.
fn form(told: &[String]) -> u64 {
    let words = |text: &String| -> Vec<String> {
        let error = text.as_bytes().first().is_some_and(u8::is_ascii_digit);
        let told: Vec<&str> = match error {
            true => text.split('"').step_by(2).collect(),
            false => text.split(|c: char| !c.is_ascii_uppercase()).filter(|word| word.len() > 1).take(12).collect(),
        };
        told.into_iter().map(str::to_owned).collect()
    };
    hash(told.iter().map(words).collect::<Vec<_>>())
}

#[test]
fn sql_to_plans() {
    let catalog = catalog();
    let read = |input: &[u8]| {
        let Ok(text) = std::str::from_utf8(input) else { return Ok(0) };
        let told = translate(text, &catalog)?;
        if translate(text, &catalog)? != told {
            return Err("translated in two ways".to_owned());
        }
        Ok(form(&told))
    };
    let statements = scripts().concat();
    let mut words: Vec<Vec<u8>> = Vec::new();
    for statement in &statements {
        let found = statement.split_inclusive(|c: char| !c.is_alphanumeric() && c != '_').filter(|w| w.len() > 1);
        words.extend(found.map(|word| word.as_bytes().to_vec()));
    }
    words.sort();
    words.dedup();
    let examples = statements.into_iter().filter(|s| s.len() < 600).step_by(7).map(String::into_bytes).collect();
    std::thread::scope(|scope| {
        let fuzz = move || Target { name: "sql", examples, words, read: &read, tries: 3_000 }.run();
        let thread = std::thread::Builder::new().stack_size(64 << 20).spawn_scoped(scope, fuzz).expect("a thread");
        if let Err(panic) = thread.join() {
            std::panic::resume_unwind(panic);
        }
    });
}

fn copy_format(csv: bool, delimiter: u8) -> CopyFormat {
    CopyFormat {
        binary: false,
        encoding: None,
        csv,
        delimiter,
        null: if csv { String::new() } else { "\\N".to_owned() },
        header: false,
        header_match: false,
        quote: b'"',
        escape: b'"',
        force_quote: Vec::new(),
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    }
}

type Rows = Result<Vec<Vec<Option<String>>>, String>;

fn rows(format: &CopyFormat, chunks: &[&[u8]]) -> Rows {
    let mut reader = CopyReader::new(format.clone(), vec!["a".to_owned(), "b".to_owned()]);
    let mut rows = Vec::new();
    let mut take = |reader: &mut CopyReader| -> Result<(), String> {
        while let Some(fields) =
            reader.next_row().map_err(|error| format!("{} {}", error.code.as_str(), error.message))?
        {
            rows.push(fields.into_iter().map(|field| field.map(|text| text.into_owned())).collect());
        }
        Ok(())
    };
    for chunk in chunks {
        reader.push(chunk);
        take(&mut reader)?;
    }
    reader.finish();
    take(&mut reader)?;
    Ok(rows)
}

/// The same in one piece and byte by byte; and what is read can be written, and is read again as the same.
fn read_copy(input: &[u8]) -> Result<u64, String> {
    let Some((form, input)) = input.split_first() else { return Ok(0) };
    let format = copy_format(form & 1 == 1, if form & 2 == 2 { b',' } else { b'\t' });
    let whole = rows(&format, &[input]);
    let bytes: Vec<&[u8]> = input.chunks(1).collect();
    let cut = rows(&format, &bytes);
    if whole != cut {
        return Err(format!("in pieces it is {cut:?}, as a whole {whole:?}"));
    }
    let rows_read = match whole {
        Ok(rows) => rows,
        Err(error) => return Ok(hash((form & 3, error.get(..20).map(str::to_owned)))),
    };
    let writer = CopyWriter::new(format.clone());
    let mut out = Vec::new();
    for row in &rows_read {
        let fields: Vec<Option<&str>> = row.iter().map(|field| field.as_deref()).collect();
        writer.row(&fields, &mut out);
    }
    let again = rows(&format, &[&out]);
    if again.as_ref() != Ok(&rows_read) {
        return Err(format!("{rows_read:?} was written, {again:?} is read"));
    }
    Ok(hash((
        form & 3,
        rows_read.len().min(9),
        rows_read.iter().flatten().filter(|field| field.is_none()).count().min(9),
    )))
}

#[test]
fn lines_of_copy() {
    let examples = [
        "\0a\tb\n1\t\\N\n\\.\n",
        "\0\\x41\\101\t\\b\\f\\n\\r\\t\\v\n",
        "\x01a\tb\n\"x\"\"y\"\t\n",
        "\x03a,\"b\nc\"\r\n,\n",
        "\x02a\\,b,c\n",
    ];
    let examples = examples.iter().map(|text| text.as_bytes().to_vec()).collect();
    let words = ["\\N", "\\.", "\"\"", "\r\n", "\n", ",", "\t", "\\\n", "\\", "\"", "\\x", "\\0", "ä"];
    let words = words.iter().map(|word| word.as_bytes().to_vec()).collect();
    Target { name: "copy", examples, words, read: &read_copy, tries: 60_000 }.run();
}
