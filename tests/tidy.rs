//! The architecture as a test: which top-level module may use which, and what pure code must not mention.
//!
//! A new arrow is added to [`ARROWS`] on purpose, in the commit that needs it, or it is a mistake. They form no circle: each room
//! can be read with what lies below it. Unit tests may use what they like. Nothing is public that nobody uses.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Each module and what it may use. `a::b` allows only the item or submodule `b` of `a`.
const ARROWS: &[(&str, &str)] = &[
    // The base: names, values, errors, what the log holds.
    ("id", ""),
    ("value", ""),
    ("antechamber", ""),
    ("clock", ""),
    ("version", "error"),
    ("host", ""),
    ("workers", ""),
    ("error", ""),
    ("status", ""),
    ("panics", ""),
    ("meter", "error"),
    ("telemetry", "id"),
    ("trace", "id"),
    ("scram", ""),
    ("pki", ""),
    ("access", ""),
    ("config", "access id meter::MEMORY_IN_THE_LOG version"),
    ("command", "error id types value version"),
    // Postgres' types and functions know no SQL text and no cluster.
    ("types", "error meter value"),
    ("settings", "error types"),
    // Who may do what: a pure function of roles and grants.
    ("rights", "error"),
    ("functions", "error meter panics rights settings types value"),
    // The compiler: text and catalog in, plan out. No connection, no log, no node.
    ("sql", "command error functions id::HOME meter rights scram settings types value version"),
    ("locks", "command error id sql"),
    ("transaction", "command error id locks sql::catalog sql::plan types value"),
    // What a session asks of a database, and what comes back.
    ("database", "clock command error functions id locks::advisory sql transaction types value version"),
    // A client's state machine, its way to a database, and its socket.
    ("session", "command error functions gateway id meter rights settings sql transaction types value version"),
    (
        "gateway",
        "clock command database engine error executor functions host id locks replica::core replica::handle sql status trace transaction \
         transport types value version",
    ),
    // Interactive transactions on the leader: private views, locks, sequences. It reaches the log through a trait.
    (
        "executor",
        "clock command engine error functions host id locks meter replica sql status::LockRow transaction types value",
    ),
    (
        "frontend",
        "access antechamber clock error functions::Signal gateway id pki rights scram session sql::allowance sql::catalog \
         status::SessionRow telemetry trace types value",
    ),
    // Consensus knows no SQL; commands are opaque to it.
    ("consensus", "command id"),
    ("replica", "clock command consensus id raftlog telemetry trace transport workers"),
    ("raftlog", "cluster::founding command consensus id"),
    ("transport", "consensus id pki version"),
    // The state machine knows no Raft: it gets an index and commands, and implements the contract of `consensus`.
    (
        "engine",
        "command consensus database error functions id locks::advisory meter sql transaction types value version workers",
    ),
    ("cluster", "command error id pki::Stage pki::Succession types value version"),
    ("admin", "antechamber backup::manifest pki status telemetry"),
    // What is kept outside of a cluster, and whether it is what the cluster had.
    ("backup", "command consensus engine version"),
    // Directories and buckets.
    ("depot", "admin::client backup pki"),
    // The composition root knows all, and nobody but the command line knows it.
    (
        "node",
        "access admin backup clock cluster command config consensus depot engine error executor frontend functions gateway host id locks meter pki raftlog replica rights \
         session setup sql status telemetry trace transaction transport types value version",
    ),
    ("demo", "admin::client admin::console config status transport::wire"),
    ("setup", "cluster::token config pki raftlog::identity scram"),
    ("cli", "admin backup clock config demo depot engine node pki raftlog::identity setup status"),
    ("lib", ""),
    ("main", "engine::memory panics"),
];

/// Code whose behaviour is a function of its input: no clock, no threads, no sockets, no files, no chance.
const PURE: &[&str] = &[
    "access.rs",
    "backup/envelope.rs",
    "backup/manifest.rs",
    "backup/piece.rs",
    "backup/plan.rs",
    "backup/segment.rs",
    "cluster/",
    "command.rs",
    "demo/screen.rs",
    "error.rs",
    "functions/",
    "id.rs",
    "locks/",
    "replica/apply.rs",
    "replica/beats.rs",
    "replica/conductor",
    "replica/core",
    "replica/fitness.rs",
    "replica/waiting.rs",
    "rights/",
    "scram.rs",
    "session/",
    "sql/",
    "status.rs",
    "transaction/",
    "types/",
    "value.rs",
    "version.rs",
];
/// What decides what others are told, and in which order. The order of a hash map is another one in each process.
const ORDERLY: &[&str] = &[
    "backup/",
    "cluster/",
    "consensus/",
    "locks/",
    "replica/apply.rs",
    "replica/beats.rs",
    "replica/conductor",
    "replica/core",
    "replica/fitness.rs",
    "replica/waiting.rs",
    "transaction/",
];
const IMPURE: &[&str] = &[
    "tokio::",
    "Instant::now",
    "SystemTime",
    "std::net",
    "std::fs",
    "thread::spawn",
    "thread::sleep",
    "std::process",
    "rand::random",
    "rand::rng",
    "thread_rng",
];

struct Source {
    /// Relative to `src`.
    path: String,
    /// The first part of the path: the top-level module.
    module: String,
    text: String,
}

/// Everything but what is compiled for unit tests only.
fn sources() -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    walk(&root, &mut files);
    let mut tests = BTreeSet::new();
    for file in &files {
        tests.extend(test_modules(file));
    }
    files.retain(|f| !f.ancestors().any(|a| tests.contains(a) || tests.contains(&a.with_extension(""))));
    let source = |file: PathBuf| {
        let path = file.strip_prefix(&root).expect("below the root").to_string_lossy().into_owned();
        let module = path.split(['/', '.']).next().unwrap_or_default().to_owned();
        Source { module, text: std::fs::read_to_string(&file).expect("a source file"), path }
    };
    files.into_iter().map(source).collect()
}

/// Paths, without `.rs`, of the modules that `file` declares for tests only.
fn test_modules(file: &Path) -> Vec<PathBuf> {
    let text = std::fs::read_to_string(file).expect("a source file");
    let dir = match file.file_name().and_then(|n| n.to_str()) {
        Some("mod.rs" | "lib.rs" | "main.rs") => file.parent().expect("a folder").to_owned(),
        _ => file.with_extension(""),
    };
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let declared = lines.windows(2).filter(|w| w[0] == "#[cfg(test)]").filter_map(|w| {
        let name = w[1].strip_suffix(';')?.split(' ').next_back()?;
        w[1].contains("mod ").then(|| dir.join(name))
    });
    declared.collect()
}

fn walk(dir: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<PathBuf> =
        std::fs::read_dir(dir).expect("a folder").map(|e| e.expect("an entry").path()).collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            walk(&path, files);
        } else if path.extension().is_some_and(|e| e == "rs") {
            files.push(path);
        }
    }
}

impl Source {
    /// The code without comments and without what follows the first `#[cfg(test)]` on a module.
    fn code(&self) -> String {
        let mut code = String::new();
        let mut lines = self.text.lines().peekable();
        while let Some(line) = lines.next() {
            if line.trim() == "#[cfg(test)]"
                && lines.peek().is_some_and(|next| next.starts_with("mod ") && next.ends_with('{'))
            {
                break;
            }
            if !line.trim_start().starts_with("//") {
                code.push_str(line.split(" // ").next().unwrap_or_default());
                code.push('\n');
            }
        }
        code
    }

    /// Everything named by `crate::…`, to the depth of two: `replica`, `replica::core`.
    fn uses(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut found = BTreeSet::new();
        for (at, _) in code.match_indices("crate::") {
            let path = &code[at + "crate::".len()..];
            for module in heads(path) {
                let rest = &path[path.find(&module).unwrap_or(0) + module.len()..];
                let below = rest.strip_prefix("::").map(heads).unwrap_or_default();
                if below.is_empty() {
                    found.insert(module);
                } else {
                    found.extend(below.iter().map(|item| format!("{module}::{item}")));
                }
            }
        }
        found
    }
}

/// The identifiers that a path begins with: one, or several in braces.
fn heads(path: &str) -> Vec<String> {
    let ident =
        |text: &str| -> String { text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(list) = path.strip_prefix('{') else {
        return Some(ident(path)).filter(|i| !i.is_empty()).into_iter().collect();
    };
    let (mut depth, mut begin, mut heads) = (0, 0, Vec::new());
    for (at, c) in list.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => {
                heads.push(ident(&list[begin..at]));
                break;
            }
            '}' => depth -= 1,
            ',' if depth == 0 => {
                heads.push(ident(&list[begin..at]));
                begin = at + 1;
            }
            _ => {}
        }
    }
    heads.retain(|h| !h.is_empty());
    heads
}

#[test]
fn modules_look_only_where_they_may() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> =
        ARROWS.iter().map(|(module, uses)| (*module, uses.split_whitespace().collect())).collect();
    let mut wrong = BTreeSet::new();
    for source in sources().iter() {
        let Some(allowed) = allowed.get(source.module.as_str()) else {
            wrong.insert(format!("{}: the module {} is not in the list", source.path, source.module));
            continue;
        };
        for used in source.uses() {
            let module = used.split("::").next().unwrap_or_default();
            let known = ARROWS.iter().any(|(m, _)| *m == module);
            if known && module != source.module && !allowed.contains(module) && !allowed.contains(used.as_str()) {
                wrong.insert(format!("{}: {} must not use crate::{used}", source.path, source.module));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.into_iter().collect::<Vec<_>>().join("\n"));
}

/// Modules that use each other in a ring, if there are some.
fn circle<'a>(arrows: &[(&'a str, &'a str)]) -> Option<Vec<&'a str>> {
    let below: BTreeMap<&str, BTreeSet<&str>> = arrows
        .iter()
        .map(|(module, uses)| (*module, uses.split_whitespace().filter_map(|used| used.split("::").next()).collect()))
        .collect();
    let mut left: BTreeSet<&str> = below.keys().copied().collect();
    // Whoever uses nobody that is left can be read: what remains goes round.
    while let Some(free) = left.iter().copied().find(|module| below[module].is_disjoint(&left)) {
        left.remove(free);
    }
    let mut ring = vec![*left.first()?];
    loop {
        let next = *below[ring[ring.len() - 1]].intersection(&left).next()?;
        if let Some(begin) = ring.iter().position(|module| *module == next) {
            return Some(ring.split_off(begin));
        }
        ring.push(next);
    }
}

#[test]
fn modules_form_no_circle() {
    assert_eq!(circle(ARROWS), None);
    // It sees what it is meant to see.
    assert_eq!(circle(&[("a", "b c"), ("b", "c d"), ("c", ""), ("d", "a::x")]), Some(vec!["a", "b", "d"]));
    assert_eq!(circle(&[("a", "b"), ("b", "")]), None);
}

/// What a line of code makes public: functions, types, constants.
fn published(line: &str) -> Option<&str> {
    let mut rest = line.trim_start().strip_prefix("pub")?;
    if let Some(limited) = rest.strip_prefix('(') {
        rest = limited.split_once(')')?.1;
    }
    let mut words = rest.split_whitespace().peekable();
    while let Some(word) = words.next() {
        match word {
            "async" | "unsafe" => {}
            "const" if words.peek().is_some_and(|next| matches!(*next, "fn" | "async" | "unsafe")) => {}
            "fn" | "const" | "static" | "struct" | "enum" | "trait" | "type" => {
                let name = words.next()?;
                return Some(&name[..name.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(name.len())]);
            }
            _ => return None,
        }
    }
    None
}

/// Names that `code` makes public and that are used neither there nor in `users`.
fn unused(code: &[String], users: &[String]) -> Vec<String> {
    let mut named: BTreeMap<&str, usize> = BTreeMap::new();
    for text in code.iter().chain(users) {
        for word in text.split(|c: char| !c.is_alphanumeric() && c != '_') {
            *named.entry(word).or_default() += 1;
        }
    }
    let mut defined: BTreeMap<&str, usize> = BTreeMap::new();
    for text in code {
        let lines: Vec<&str> = text.lines().collect();
        for (i, line) in lines.iter().enumerate() {
            let for_tests = i > 0 && lines[i - 1].trim() == "#[cfg(test)]";
            if let Some(name) = published(line).filter(|_| !for_tests) {
                *defined.entry(name).or_default() += 1;
            }
        }
    }
    defined.into_iter().filter(|(name, times)| named[name] <= *times).map(|(name, _)| name.to_owned()).collect()
}

#[test]
fn nothing_is_public_that_nobody_uses() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    ["tests", "bench"].iter().for_each(|folder| walk(&root.join(folder), &mut files));
    let users: Vec<String> = files.iter().map(|f| std::fs::read_to_string(f).expect("a source file")).collect();
    let code: Vec<String> = sources().iter().map(Source::code).collect();
    assert_eq!(unused(&code, &users), Vec::<String>::new(), "public, and used by unit tests at most");
    // It sees what it is meant to see.
    let code = [
        "pub fn used() {}\npub(crate) const fn left() -> u8 { 1 }\npub struct Gone<T>(T);\n".to_owned(),
        "    pub async fn told() {}\n#[cfg(test)]\npub fn for_tests() {}\npub const N: u8 = 1;\nfn private() { used() }\n".to_owned(),
    ];
    assert_eq!(unused(&code, &["quorate::told()".to_owned()]), ["Gone", "N", "left"]);
}

#[test]
fn what_decides_knows_no_order_of_chance() {
    let files = sources();
    let decides = files.iter().filter(|s| ORDERLY.iter().any(|p| s.path.starts_with(p)));
    let wrong = decides.flat_map(|s| {
        let code = s.code();
        let found = ["HashMap", "HashSet"].into_iter().find(|word| code.contains(word));
        found.map(|word| format!("{}: {word}", s.path))
    });
    let wrong: Vec<_> = wrong.collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn pure_code_has_no_clock_no_thread_and_no_socket() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| PURE.iter().any(|p| s.path.starts_with(p))) {
        let code = source.code();
        wrong.extend(IMPURE.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", source.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Rooms where what a statement means is known from its tree, its plan or its shape: nobody asks its text.
const TOLD: &[&str] = &[
    "command.rs",
    "engine/",
    "executor/",
    "gateway/",
    "session/",
    "sql/bind/",
    "sql/ir/",
    "sql/mod.rs",
    "sql/plan.rs",
    "sql/render/",
    "sql/violation/",
    "transaction/",
];
/// What a text in SQL is called.
const SQL_TEXTS: &[&str] = &["sql", "template", "lower", "statement", "query"];
/// How one looks into a text for something.
const LOOKS: &[&str] = &[
    "contains",
    "starts_with",
    "ends_with",
    "find",
    "replace",
    "split",
    "split_once",
    "match_indices",
    "strip_prefix",
    "strip_suffix",
    "get",
];
/// Lines that look into SQL for a reason.
const LOOKED_INTO: &[(&str, &str)] = &[
    // The rest behind the one statement that SQLite has prepared: nothing but blanks may follow.
    ("engine/statement.rs", "sql.get(used..)"),
];

/// Where a line looks into SQL: the text before `.contains("` and its like ends in a name of such a text.
fn looks_into_sql(line: &str) -> bool {
    LOOKS.iter().any(|look| {
        let calls = [format!(".{look}(\""), format!(".{look}('"), format!(".{look}(.."), format!(".{look}(used")];
        calls.iter().filter_map(|call| line.find(call.as_str())).any(|at| {
            let path = |c: char| c.is_alphanumeric() || "_.()&*".contains(c);
            let before = line[..at].rsplit(|c| !path(c)).next().unwrap_or_default();
            before.split(|c: char| !c.is_alphanumeric() && c != '_').any(|name| SQL_TEXTS.contains(&name))
        })
    })
}

#[test]
fn no_function_decides_by_looking_into_sql() {
    let mut wrong = Vec::new();
    for source in sources().iter().filter(|s| TOLD.iter().any(|room| s.path.starts_with(room))) {
        let known = |line: &str| LOOKED_INTO.iter().any(|(path, text)| *path == source.path && line.contains(text));
        let code = source.code();
        wrong.extend(code.lines().filter(|l| looks_into_sql(l) && !known(l)).map(|l| format!("{}: {l}", source.path)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    // It sees what it is meant to see.
    for line in [
        "let ordered = sql.contains(\"ORDER BY\");",
        "if statement.sql.get(..6).is_some()",
        "template.replace(\" = \", \" IS \")",
        "operator.lower.contains(\" COLLATE \")",
    ] {
        assert!(looks_into_sql(line), "{line}");
    }
    assert!(!looks_into_sql("fault.message.starts_with(\"FOREIGN KEY\")"));
}

#[test]
fn every_file_says_what_it_is_and_nothing_is_left_to_do() {
    let mut wrong = Vec::new();
    for source in sources() {
        if !source.text.starts_with("//!") {
            wrong.push(format!("{}: begin with //! and say what the file is", source.path));
        }
        for word in ["todo!(", "unimplemented!(", "dbg!(", "FIXME", "XXX"] {
            if source.code().contains(word) {
                wrong.push(format!("{}: {word}", source.path));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn paths_are_read_as_rust_reads_them() {
    assert_eq!(heads("replica::{Position, core::Role}"), ["replica"]);
    assert_eq!(heads("{Position, core::{Role, Change}, handle}"), ["Position", "core", "handle"]);
    let source = Source {
        path: "x.rs".into(),
        module: "x".into(),
        text: "use crate::replica::{Position, core::Role};\nlet a = crate::id::NodeId(1); // crate::sql\n".into(),
    };
    let uses: Vec<String> = source.uses().into_iter().collect();
    assert_eq!(uses, ["id::NodeId", "replica::Position", "replica::core"]);
}

/// What a page names as a link to code, ``[`name`](../path)``, by name and path from the project's folder.
fn named(page: &str) -> Vec<(String, String)> {
    let links = page.split("[`").skip(1).filter_map(|rest| {
        let (name, rest) = rest.split_once("`](../")?;
        let (path, _) = rest.split_once(')')?;
        Some((name.to_owned(), path.to_owned()))
    });
    links.collect()
}

/// Why a name is not in its file: a word of code, or of what a check says.
fn missing(name: &str, path: &str) -> Option<String> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let Ok(text) = std::fs::read_to_string(root.join(path)) else { return Some(format!("there is no file {path}")) };
    let word = |c: char| c.is_alphanumeric() || c == '_';
    let stands = text.match_indices(name).any(|(at, _)| {
        let (before, after) = (text[..at].chars().next_back(), text[at + name.len()..].chars().next());
        !before.is_some_and(word) && !after.is_some_and(word)
    });
    // A file may be named for what all of it is about.
    let is_file = Path::new(path).file_stem().is_some_and(|stem| stem == name);
    (!stands && !is_file).then(|| format!("{path} has no {name}"))
}

#[test]
fn what_the_page_on_consensus_names_exists() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect(path);
    let (page, plan, planted) = (read("docs/consensus.md"), read("tests/sim/plan.rs"), read("tests/sim/planted.rs"));
    let bugs = plan.split("pub enum Bug {").nth(1).and_then(|rest| rest.split("\n}").next()).expect("the mistakes");
    let bugs: BTreeSet<&str> = bugs.lines().filter_map(|line| line.trim().strip_suffix(',')).collect();
    let named = named(&page);
    let mut wrong: Vec<String> = named.iter().filter_map(|(name, path)| missing(name, path)).collect();
    let mistakes = named.iter().filter(|(name, path)| path == "tests/sim/plan.rs" && name != "Fault");
    for (name, _) in mistakes.clone() {
        if !bugs.contains(name.as_str()) || !planted.contains(&format!("Bug::{name} =>")) {
            wrong.push(format!("{name} is not a planted mistake that is looked for"));
        }
    }
    for property in
        ["Election safety", "Leader append-only", "Log matching", "Leader completeness", "State-machine safety"]
    {
        let section = page.split(&format!("### {property}:")).nth(1).and_then(|rest| rest.split("\n#").next());
        for part in ["**Paxos:**", "**Kept by:**", "**Asserted:**", "**Simulation:**", "**Planted:**"] {
            if !section.is_some_and(|section| section.contains(part)) {
                wrong.push(format!("{property} says nothing about {part}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert!(mistakes.count() > 20, "the page names no mistakes");
    assert!(missing("no such function", "src/replica/core.rs").is_some() && missing("x", "src/none.rs").is_some());
}

#[test]
fn links_between_pages_lead_somewhere() {
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs");
    let anchor = |title: &str| -> String {
        let kept = title.trim().to_lowercase();
        kept.chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c))
            .map(|c| if c == ' ' { '-' } else { c })
            .collect()
    };
    let mut wrong = Vec::new();
    let entries = std::fs::read_dir(&docs).expect("a folder").map(|e| e.expect("an entry").path());
    for page in entries.filter(|path| path.extension().is_some_and(|extension| extension == "md")) {
        let text = std::fs::read_to_string(&page).expect("a page");
        for target in text.split("](").skip(1).filter_map(|rest| rest.split_once(')')).map(|(target, _)| target) {
            let (file, place) = target.split_once('#').unwrap_or((target, ""));
            if file.contains(':') {
                continue;
            }
            let path = if file.is_empty() { page.clone() } else { docs.join(file) };
            let there = std::fs::read_to_string(&path).unwrap_or_default();
            let mut titles = there.lines().filter(|l| l.starts_with('#')).map(|l| anchor(l.trim_start_matches('#')));
            if !path.exists() || !place.is_empty() && !titles.any(|title| title == place) {
                wrong.push(format!("{}: {target} leads nowhere", page.display()));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
