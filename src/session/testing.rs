//! A toy SQL for tests of the session and of the wire: statements are told apart by their first words.
//!
//! `select` and `values` read, `insert`, `update`, `delete` write, `create table` changes the schema; a table that
//! follows `from`, `into`, `update` must be in the catalog unless it is a function call. Columns are named after `as`
//! words of the select list and are int8, or text where the name begins with `t`.

use super::effect::CopyForm;
use super::language::{CopyReader, CopyWriter, Language, Statement};
use crate::command::{Statement as Sqlite, Yields};
use crate::error::{SqlError, SqlResult, state};
use crate::sql::Scope;
use crate::sql::allowance::Allowance;
use crate::sql::plan::*;
use crate::types::{NO_TYPMOD, Type};
use crate::value::{Value, ValueRef};
use std::sync::Arc;

pub(crate) struct Toy;

struct ToyStatement(String);

impl Language for Toy {
    fn parse(&self, text: &str, allowance: &Allowance) -> SqlResult<Vec<Arc<dyn Statement>>> {
        allowance.spend_text(text.len())?;
        let parts = text.split(';').map(str::trim).filter(|t| !t.is_empty());
        parts
            .map(|t| match t.starts_with("bogus") {
                true => Err(SqlError::syntax("syntax error at or near \"bogus\"").position(1)),
                false => Ok(Arc::new(ToyStatement(t.to_owned())) as Arc<dyn Statement>),
            })
            .collect()
    }

    fn copy_reader(&self, form: &CopyForm) -> SqlResult<Box<dyn CopyReader>> {
        Ok(Box::new(Lines { rest: Vec::new(), columns: form.columns.len() }))
    }

    fn copy_writer(&self, _form: &CopyForm) -> SqlResult<Box<dyn CopyWriter>> {
        Ok(Box::new(Lines { rest: Vec::new(), columns: 0 }))
    }
}

struct Lines {
    rest: Vec<u8>,
    columns: usize,
}

impl CopyReader for Lines {
    fn feed(&mut self, data: &[u8], row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        self.rest.extend_from_slice(data);
        while let Some(end) = self.rest.iter().position(|b| *b == b'\n') {
            let line: Vec<u8> = self.rest.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            let fields: Vec<_> = line.trim_end().split('\t').map(|f| f.parse().map(Value::Int)).collect();
            if fields.len() != self.columns {
                return Err(SqlError::new(state::BAD_COPY_FILE_FORMAT, "wrong number of columns"));
            }
            let bad = || SqlError::new(state::INVALID_TEXT_REPRESENTATION, "not a number");
            row(fields.into_iter().collect::<Result<_, _>>().map_err(|_| bad())?)?;
        }
        Ok(())
    }

    fn finish(&mut self, _row: &mut dyn FnMut(Vec<Value>) -> SqlResult<()>) -> SqlResult<()> {
        Ok(())
    }
}

impl CopyWriter for Lines {
    fn begin(&mut self, _out: &mut Vec<u8>) -> SqlResult<()> {
        Ok(())
    }

    fn row(&mut self, values: &[ValueRef<'_>], out: &mut Vec<u8>) -> SqlResult<()> {
        let fields: Vec<String> = values.iter().map(|v| format!("{v:?}")).collect();
        out.extend_from_slice(fields.join("\t").as_bytes());
        out.push(b'\n');
        Ok(())
    }

    fn end(&mut self, _out: &mut Vec<u8>) -> SqlResult<()> {
        Ok(())
    }
}

impl Statement for ToyStatement {
    fn text(&self) -> &str {
        &self.0
    }

    fn compile(&self, scope: &Scope<'_>) -> SqlResult<Plan> {
        let words: Vec<&str> = self.0.split_whitespace().collect();
        let params = params(&self.0, scope.declared);
        let (columns, kind) = match words[0] {
            "select" | "values" | "with" | "SELECT" => {
                tables(&words, scope)?;
                (columns(&words), PlanKind::Read(read(&self.0)))
            }
            "insert" | "update" | "delete" => {
                tables(&words, scope)?;
                let returning = words.iter().position(|w| *w == "returning");
                let yields = if returning.is_some() { Yields::Rows } else { Yields::Count };
                let tag = match words[0] {
                    "insert" => "INSERT 0",
                    "update" => "UPDATE",
                    _ => "DELETE",
                };
                let columns = returning.map_or(Vec::new(), |at| columns(&words[at..]));
                (columns, write(sqlite(&self.0), yields, false, Tag::Counted(tag)))
            }
            "create" => {
                if scope.catalog.relations.keys().any(|(_, name)| name == words[2]) {
                    let message = format!("relation \"{}\" already exists", words[2]);
                    return Err(SqlError::new(state::DUPLICATE_TABLE, message));
                }
                (Vec::new(), write(sqlite(&self.0), Yields::Nothing, true, Tag::Plain("CREATE TABLE")))
            }
            "copy" if words[2] == "from" => {
                tables(&["into", words[1]], scope)?;
                let columns = vec![column("a"), column("b")];
                let insert = format!("insert into {} values (?1, ?2)", words[1]);
                let insert = vec![Sqlite::new(insert, Yields::Count)];
                (Vec::new(), PlanKind::CopyIn(CopyIn { insert, facts: Facts::default(), columns, format: format() }))
            }
            "copy" => {
                let query = self.0.split(['(', ')']).nth(1).unwrap_or_default();
                let columns = columns(&query.split_whitespace().collect::<Vec<_>>());
                (columns, PlanKind::CopyOut { read: read(query), format: format() })
            }
            _ => (Vec::new(), PlanKind::Utility(utility(&self.0, &words)?)),
        };
        let params = if matches!(kind, PlanKind::Utility(_)) { Vec::new() } else { params };
        Ok(Plan { params, columns, schema_version: scope.catalog.version, kind })
    }
}

fn params(text: &str, declared: &[Type]) -> Vec<Type> {
    let count = (1..10).rev().find(|i| text.contains(&format!("${i}"))).unwrap_or(0);
    let given = |i: usize| declared.get(i).copied().filter(|t| *t != Type::UNSPECIFIED);
    (0..count).map(|i| given(i).unwrap_or(Type::INT8)).collect()
}

fn tables(words: &[&str], scope: &Scope<'_>) -> SqlResult<()> {
    for pair in words.windows(2) {
        let table = pair[1];
        let names = matches!(pair[0], "from" | "into" | "update") && !table.contains('(');
        if names && !scope.catalog.relations.keys().any(|(_, name)| name == table) {
            return Err(SqlError::new(state::UNDEFINED_TABLE, format!("relation \"{table}\" does not exist")));
        }
    }
    Ok(())
}

fn sqlite(text: &str) -> String {
    text.replace('$', "?")
}

fn read(text: &str) -> Read {
    let lock = text.ends_with("for update").then(|| RowLock {
        strength: LockStrength::Update,
        wait: LockWait::Wait,
        tables: vec![20000],
        sql: Arc::from(sqlite(text)),
    });
    let (sql, facts, places) = (Arc::from(sqlite(text)), Default::default(), Vec::new());
    Read { sql, facts, lock, inside: None, short: true, tag: "SELECT", places }
}

fn write(sql: String, yields: Yields, ddl: bool, tag: Tag) -> PlanKind {
    let effort = if sql.contains("series(") { Effort::Open } else { Effort::Key };
    let statements = vec![Sqlite::new(sql, yields)];
    PlanKind::Write(WritePlan {
        copy: None,
        lasting: true,
        alone: None,
        begins: None,
        statements,
        facts: Facts::default(),
        temporary: false,
        on_commit: None,
        ddl: if ddl { crate::command::Definition::Shared } else { Default::default() },
        effort,
        draws: false,
        lock: None,
        tag,
        notices: Vec::new(),
    })
}

fn columns(words: &[&str]) -> Vec<ResultColumn> {
    let named: Vec<_> = words
        .windows(2)
        .take_while(|w| w[0] != "from")
        .filter(|w| w[0] == "as")
        .map(|w| column(w[1].trim_end_matches(',')))
        .collect();
    if named.is_empty() { vec![column("?column?")] } else { named }
}

fn column(name: &str) -> ResultColumn {
    let ty = if name.starts_with('t') { Type::TEXT } else { Type::INT8 };
    ResultColumn { name: name.to_owned(), ty, typmod: NO_TYPMOD, table: 0, attnum: 0 }
}

fn format() -> CopyFormat {
    CopyFormat {
        binary: false,
        encoding: None,
        csv: false,
        delimiter: b'\t',
        null: "\\N".into(),
        header: false,
        header_match: false,
        quote: b'"',
        escape: b'"',
        force_quote: Vec::new(),
        force_not_null: Vec::new(),
        force_null: Vec::new(),
    }
}

fn utility(text: &str, words: &[&str]) -> SqlResult<Utility> {
    let after = |word: &str| text.split_once(&format!(" {word} ")).map_or("", |(_, rest)| rest).to_owned();
    let name = |i: usize| words.get(i).map_or(String::new(), |w| (*w).to_owned());
    Ok(match words {
        ["START", "TRANSACTION"] => Utility::Begin(TransactionModes::default()),
        ["COMMIT"] => Utility::Commit { chain: false },
        ["ROLLBACK"] => Utility::Rollback { chain: false },
        ["begin", rest @ ..] => Utility::Begin(TransactionModes {
            isolation: rest.contains(&"repeatable").then_some(IsolationLevel::RepeatableRead),
            read_only: rest.contains(&"only").then_some(true),
            deferrable: None,
        }),
        ["commit", rest @ ..] => Utility::Commit { chain: !rest.is_empty() },
        ["rollback", "to", name] => Utility::RollbackTo((*name).to_owned()),
        ["rollback", rest @ ..] => Utility::Rollback { chain: !rest.is_empty() },
        ["savepoint", name] => Utility::Savepoint((*name).to_owned()),
        ["release", name] => Utility::Release((*name).to_owned()),
        ["set", "local", name, "=", value] => {
            Utility::Set { name: (*name).to_owned(), values: vec![(*value).to_owned()], local: true }
        }
        ["set", name, "=", value] => {
            Utility::Set { name: (*name).to_owned(), values: vec![(*value).to_owned()], local: false }
        }
        ["show", name] => Utility::Show((*name).to_owned()),
        ["listen", channel] => Utility::Listen((*channel).to_owned()),
        ["unlisten", channel] => Utility::Unlisten(Some((*channel).to_owned())),
        ["prepare", name, "as", ..] => {
            Utility::Prepare { name: (*name).to_owned(), types: Vec::new(), query: after("as") }
        }
        ["execute", name, args @ ..] => Utility::Execute {
            name: (*name).to_owned(),
            args: args.iter().map(|a| (*a).to_owned()).collect(),
            into: None,
        },
        ["deallocate", "all"] => Utility::Deallocate(None),
        ["deallocate", name] => Utility::Deallocate(Some((*name).to_owned())),
        ["declare", ..] => Utility::Declare {
            name: name(1),
            query: after("for"),
            hold: text.contains("with hold"),
            scroll: Some(words[2] == "scroll"),
            binary: false,
        },
        ["fetch" | "move", how @ .., cursor] => {
            let n = |i: usize| how.get(i).and_then(|n| n.parse().ok()).unwrap_or(1);
            let direction = match how {
                ["all"] => FetchDirection::Forward(i64::MAX),
                ["backward", ..] => FetchDirection::Forward(-n(1)),
                ["absolute", ..] => FetchDirection::Absolute(n(1)),
                _ => FetchDirection::Forward(n(0)),
            };
            Utility::Fetch { name: (*cursor).to_owned(), direction, is_move: words[0] == "move" }
        }
        ["close", name] => Utility::Close(Some((*name).to_owned())),
        ["discard", "all"] => Utility::Discard(Discard::All),
        ["vacuum"] => Utility::Maintenance { tag: "VACUUM", alone: Some("VACUUM"), notices: Vec::new() },
        _ => return Err(SqlError::syntax(format!("syntax error at or near \"{}\"", words[0]))),
    })
}
