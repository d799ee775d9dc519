//! Regular expressions: `~` and its kin, regexp_*, substring(… FROM …), SIMILAR TO.
//!
//! A Postgres pattern (an "advanced regular expression") is translated to the syntax of the linear-time `regex` crate, and
//! compiled patterns are kept per thread. Of the matches that begin at one place Postgres takes the longest, or the shortest,
//! as the whole pattern prefers ([`preference`]); what its groups match within that is chosen as Perl would. Patterns with
//! back-references and lookaround are matched by backtracking, over texts of limited length; what that takes is counted, and
//! stopped, through the text ([`Watched`]). Classes of characters are those of a locale of UTF-8.

use super::arg::{from_bool, from_text, int, invalid, optional, text};
use super::arrays::text_array;
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::panics;
use crate::value::{Value, ValueRef};
use ::regex::{Regex, RegexBuilder};
use regex_automata::{Anchored, Input, MatchKind, meta, util::syntax};
use regex_syntax::ast::{Ast, RepetitionKind, RepetitionRange, parse::ParserBuilder};
use std::cell::{Cell, RefCell};
use std::ops::Range;
use std::rc::Rc;

pub const OPERATORS: &[Operator] = &[
    op("~", TEXT, TEXT, BOOL, "q_regex({0}, {1})"),
    op("~*", TEXT, TEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~", TEXT, TEXT, BOOL, "(NOT q_regex({0}, {1}))"),
    op("!~*", TEXT, TEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
    op("~", NAME, TEXT, BOOL, "q_regex({0}, {1})"),
    op("~*", NAME, TEXT, BOOL, "q_iregex({0}, {1})"),
    op("!~", NAME, TEXT, BOOL, "(NOT q_regex({0}, {1}))"),
    op("!~*", NAME, TEXT, BOOL, "(NOT q_iregex({0}, {1}))"),
    op("~", BPCHAR, TEXT, BOOL, "q_regex({0:out}, {1})"),
    op("~*", BPCHAR, TEXT, BOOL, "q_iregex({0:out}, {1})"),
    op("!~", BPCHAR, TEXT, BOOL, "(NOT q_regex({0:out}, {1}))"),
    op("!~*", BPCHAR, TEXT, BOOL, "(NOT q_iregex({0:out}, {1}))"),
];

const T2: &[crate::types::Type] = &[TEXT, TEXT];
const T3: &[crate::types::Type] = &[TEXT, TEXT, TEXT];

pub const FUNCTIONS: &[Function] = &[
    func("substring", T2, TEXT, "q_regexp_substring({0}, {1})"),
    func("substring", T3, TEXT, "q_regexp_substring({0}, q_similar({1}, {2}))"),
    func("similar_escape", T2, TEXT, "q_similar({0}, coalesce({1}, '\\'))"),
    func("similar_to_escape", &[TEXT], TEXT, "q_similar({0}, '\\')"),
    func("similar_to_escape", T2, TEXT, "q_similar({0}, {1})"),
    func("regexp_like", T2, BOOL, "q_regexp_like({0}, {1}, '')"),
    func("regexp_like", T3, BOOL, "q_regexp_like({0}, {1}, {2})"),
    func("regexp_count", T2, INT4, "q_regexp_count({0}, {1}, 1, '')"),
    func("regexp_count", &[TEXT, TEXT, INT4], INT4, "q_regexp_count({0}, {1}, {2}, '')"),
    func("regexp_count", &[TEXT, TEXT, INT4, TEXT], INT4, "q_regexp_count({0}, {1}, {2}, {3})"),
    func("regexp_substr", T2, TEXT, "q_regexp_substr({0}, {1}, 1, 1, '', 0)"),
    func("regexp_substr", &[TEXT, TEXT, INT4], TEXT, "q_regexp_substr({0}, {1}, {2}, 1, '', 0)"),
    func("regexp_substr", &[TEXT, TEXT, INT4, INT4], TEXT, "q_regexp_substr({0}, {1}, {2}, {3}, '', 0)"),
    func("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT], TEXT, "q_regexp_substr({0}, {1}, {2}, {3}, {4}, 0)"),
    func("regexp_substr", &[TEXT, TEXT, INT4, INT4, TEXT, INT4], TEXT, "q_regexp_substr({*})"),
    func("regexp_instr", T2, INT4, "q_regexp_instr({0}, {1}, 1, 1)"),
    func("regexp_instr", &[TEXT, TEXT, INT4], INT4, "q_regexp_instr({0}, {1}, {2}, 1)"),
    func("regexp_instr", &[TEXT, TEXT, INT4, INT4], INT4, "q_regexp_instr({0}, {1}, {2}, {3})"),
    func("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4], INT4, "q_regexp_instr({*}, '', 0)"),
    func("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4, TEXT], INT4, "q_regexp_instr({*}, 0)"),
    func("regexp_instr", &[TEXT, TEXT, INT4, INT4, INT4, TEXT, INT4], INT4, "q_regexp_instr({*})"),
    func("regexp_match", T2, TEXT_ARRAY, "q_regexp_match({0}, {1}, '')"),
    func("regexp_match", T3, TEXT_ARRAY, "q_regexp_match({0}, {1}, {2})"),
    set("regexp_matches", T2, TEXT_ARRAY, "q_regexp_matches({0}, {1}, '')"),
    set("regexp_matches", T3, TEXT_ARRAY, "q_regexp_matches({0}, {1}, {2})"),
    func("regexp_replace", T3, TEXT, "q_regexp_replace({0}, {1}, {2}, '')"),
    func("regexp_replace", &[TEXT, TEXT, TEXT, TEXT], TEXT, "q_regexp_replace({0}, {1}, {2}, {3})"),
    func("regexp_replace", &[TEXT, TEXT, TEXT, INT4], TEXT, "q_regexp_replace({0}, {1}, {2}, '', {3}, 1)"),
    func("regexp_replace", &[TEXT, TEXT, TEXT, INT4, INT4], TEXT, "q_regexp_replace({0}, {1}, {2}, '', {3}, {4})"),
    func(
        "regexp_replace",
        &[TEXT, TEXT, TEXT, INT4, INT4, TEXT],
        TEXT,
        "q_regexp_replace({0}, {1}, {2}, {5}, {3}, {4})",
    ),
    func("regexp_split_to_array", T2, TEXT_ARRAY, "q_regexp_split({0}, {1}, '')"),
    func("regexp_split_to_array", T3, TEXT_ARRAY, "q_regexp_split({0}, {1}, {2})"),
    set("regexp_split_to_table", T2, TEXT, "q_unnest(q_regexp_split({0}, {1}, ''))"),
    set("regexp_split_to_table", T3, TEXT, "q_unnest(q_regexp_split({0}, {1}, {2}))"),
];

pub const CASTS: &[Cast] = &[];
pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_regex", 2, |_, a| matches(a, Options::default())),
    scalar("q_iregex", 2, |_, a| matches(a, Options { ignore_case: true, ..Options::default() })),
    scalar("q_similar", 2, |_, a| similar(text(a, 0)?, text(a, 1)?).map(Value::Text)),
    scalar("q_regexp_like", 3, |_, a| matches(a, flags(text(a, 2)?, Some("regexp_like"))?.0)),
    scalar("q_regexp_substring", 2, substring),
    scalar("q_regexp_count", 4, count),
    scalar("q_regexp_substr", 6, substr),
    scalar("q_regexp_instr", 4, instr),
    scalar("q_regexp_instr", 7, instr_of),
    scalar("q_regexp_match", 3, first_match),
    scalar("q_regexp_replace", 4, replace),
    scalar("q_regexp_replace", 6, replace),
    scalar("q_regexp_split", 3, split),
];

/// How a pattern is read (PostgreSQL documentation, "ARE Embedded-Option Letters").
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Options {
    ignore_case: bool,
    /// `.` and `[^…]` do not match a newline.
    dot_stops: bool,
    /// `^` and `$` match at newlines, too.
    by_line: bool,
    expanded: bool,
    literal: bool,
}

impl Options {
    /// Applies an option letter; false if there is no such.
    fn set(&mut self, letter: char) -> bool {
        match letter {
            'i' => self.ignore_case = true,
            'c' => self.ignore_case = false,
            'n' | 'm' => (self.dot_stops, self.by_line) = (true, true),
            's' => (self.dot_stops, self.by_line) = (false, false),
            'p' => (self.dot_stops, self.by_line) = (true, false),
            'w' => (self.dot_stops, self.by_line) = (false, true),
            'x' => self.expanded = true,
            't' => self.expanded = false,
            'q' => self.literal = true,
            'e' => {}
            _ => return false,
        }
        true
    }
}

/// The flags argument of regexp functions: options, and whether `g` was among them. `once`: the function that has no use for that.
fn flags(letters: &str, once: Option<&str>) -> SqlResult<(Options, bool)> {
    let (mut options, mut global) = (Options::default(), false);
    for c in letters.chars() {
        if c == 'g' {
            global = true;
        } else if !options.set(c) {
            return Err(invalid(format!("invalid regular expression option: \"{c}\"")));
        }
    }
    if let (true, Some(function)) = (global, once) {
        return Err(invalid(format!("{function}() does not support the \"global\" option")));
    }
    Ok((options, global))
}

/// A compiled pattern and what it was compiled from.
struct Compiled {
    pattern: Box<str>,
    options: Options,
    regex: Rc<Pattern>,
}

/// Which of the matches that begin at one place is taken.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Prefer {
    Longest,
    Shortest,
}

enum Pattern {
    Linear {
        regex: Regex,
        /// Where the match that is found first may not be the one that is preferred.
        preferred: Option<Box<Preferred>>,
    },
    /// With back-references or lookaround. `decided`: which of several matches PostgreSQL takes is known.
    Backtracking { regex: Box<fancy_regex::Regex>, decided: bool },
}

/// What finds the preferred match from a place.
struct Preferred {
    prefer: Prefer,
    /// Its end.
    end: meta::Regex,
    /// Its groups, in a text that ends there.
    groups: meta::Regex,
}

/// Where a match and its groups are in a text.
struct Found<'a> {
    text: &'a str,
    groups: Vec<Option<Range<usize>>>,
}

impl<'a> Found<'a> {
    fn get(&self, group: usize) -> Option<&'a str> {
        self.groups.get(group)?.clone().map(|range| &self.text[range])
    }

    /// Where a group is.
    fn place(&self, group: usize) -> Option<Range<usize>> {
        self.groups.get(group)?.clone()
    }

    /// Where the whole match is.
    fn range(&self) -> Range<usize> {
        self.groups.first().cloned().flatten().unwrap_or_default()
    }

    fn len(&self) -> usize {
        self.groups.len()
    }
}

impl Pattern {
    fn is_match(&self, text: &str) -> SqlResult<bool> {
        match self {
            Pattern::Linear { regex, .. } => Ok(regex.is_match(text)),
            Pattern::Backtracking { regex, .. } => watched(short(text)?, |text| regex.is_match(text)),
        }
    }

    fn captures_len(&self) -> usize {
        match self {
            Pattern::Linear { regex, .. } => regex.captures_len(),
            Pattern::Backtracking { regex, .. } => regex.captures_len(),
        }
    }

    /// The first match from an offset on.
    fn find<'a>(&self, text: &'a str, from: usize) -> SqlResult<Option<Found<'a>>> {
        match self {
            Pattern::Linear { regex, preferred } => {
                let Some(found) = regex.captures_at(text, from) else { return Ok(None) };
                let groups = found.iter().map(|group| group.map(|m| m.range())).collect();
                let found = Found { text, groups };
                Ok(Some(preferred.as_ref().and_then(|p| p.instead_of(&found)).unwrap_or(found)))
            }
            Pattern::Backtracking { decided: false, .. } => {
                let what = "what a regular expression with lookaround or back-references matches if it prefers short \
                            matches and has long repetitions or alternatives";
                Err(SqlError::unsupported(what))
            }
            Pattern::Backtracking { regex, .. } => {
                let groups = watched(short(text)?, |text| {
                    let found = regex.captures_from_pos(text, from)?;
                    Ok(found.map(|found| found.iter().collect()))
                })?;
                Ok(groups.map(|groups| Found { text, groups }))
            }
        }
    }
}

impl Preferred {
    /// The match that is preferred to one that begins at the same place, if it is another one.
    fn instead_of<'a>(&self, found: &Found<'a>) -> Option<Found<'a>> {
        let (text, Range { start, end }) = (found.text, found.range());
        let from = |text: &'a str| Input::new(text).range(start..).anchored(Anchored::Yes);
        let ends = self.end.search_half(&from(text).earliest(self.prefer == Prefer::Shortest))?.offset();
        if ends == end {
            return None;
        }
        let mut places = self.groups.create_captures();
        self.groups.search_captures(&from(&text[..ends]), &mut places);
        let groups = (0..places.group_len()).map(|i| places.get_group(i).map(|span| span.range()));
        // A condition on what follows may fail where nothing does: then the first one stays.
        places.is_match().then(|| Found { text, groups: groups.collect() })
    }
}

/// Whether a pattern prefers long matches or short ones (PostgreSQL documentation, "Regular Expression Matching Rules"):
/// as the first part of it that is repeated, unless a fixed number of times; alternatives prefer long ones.
fn preference(ast: &Ast) -> Option<Prefer> {
    match ast {
        Ast::Repetition(r) => match &r.op.kind {
            RepetitionKind::Range(RepetitionRange::Exactly(_)) => preference(&r.ast),
            _ => Some(if r.greedy { Prefer::Longest } else { Prefer::Shortest }),
        },
        Ast::Group(group) => preference(&group.ast),
        Ast::Concat(parts) => parts.asts.iter().find_map(preference),
        Ast::Alternation(_) => Some(Prefer::Longest),
        _ => None,
    }
}

/// Whether a part of it prefers long matches.
fn lengthens(ast: &Ast) -> bool {
    match ast {
        Ast::Repetition(r) => {
            let fixed = matches!(r.op.kind, RepetitionKind::Range(RepetitionRange::Exactly(_)));
            r.greedy && !fixed || lengthens(&r.ast)
        }
        Ast::Group(group) => lengthens(&group.ast),
        Ast::Concat(parts) => parts.asts.iter().any(lengthens),
        Ast::Alternation(_) => true,
        _ => false,
    }
}

/// How many choices a pattern has; alternatives count twice: the first that matches need not be the longest.
fn choices(ast: &Ast) -> usize {
    match ast {
        Ast::Repetition(r) => 1 + choices(&r.ast),
        Ast::Group(group) => choices(&group.ast),
        Ast::Concat(parts) => parts.asts.iter().map(choices).sum(),
        Ast::Alternation(parts) => 2 + parts.asts.iter().map(choices).sum::<usize>(),
        _ => 0,
    }
}

/// Compiled patterns kept per thread; the one used last is first.
const KEPT: usize = 64;

thread_local! {
    static COMPILED: RefCell<Vec<Compiled>> = const { RefCell::new(Vec::new()) };
}

/// A compiled pattern. Shared, not cloned: a clone begins with cold caches.
fn compile(pattern: &str, options: Options) -> SqlResult<Rc<Pattern>> {
    COMPILED.with_borrow_mut(|kept| {
        if let Some(at) = kept.iter().position(|c| &*c.pattern == pattern && c.options == options) {
            kept[..=at].rotate_right(1);
        } else {
            let regex = Rc::new(build(pattern, options)?);
            kept.truncate(KEPT - 1);
            kept.insert(0, Compiled { pattern: pattern.into(), options, regex });
        }
        Ok(kept[0].regex.clone())
    })
}

/// Bytes of a compiled pattern.
const PROGRAM: usize = 1 << 20;

/// The longest text that is searched: while the machine runs through it, nothing can stop it.
const SEARCHED: usize = 16 << 20;

/// The longest text that is searched by backtracking.
const BACKTRACKED: usize = 64 << 10;
/// Bytes of all the parts together into which a pattern falls that is matched by backtracking, and those of what is remembered
/// while they are matched.
const PARTS: usize = 8 * PROGRAM;
const CACHES: usize = 32 * PROGRAM;

/// A text for the matcher that goes back.
fn short(text: &str) -> SqlResult<&str> {
    if text.len() <= BACKTRACKED {
        return Ok(text);
    }
    let message = format!("a text to match lookaround or back-references against may have {BACKTRACKED} bytes at most");
    Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, message))
}

/// A text that counts how often it is looked at. The matcher that goes back has no other way to be stopped: whoever must not
/// go on leaves it by unwinding, without a panic, and so without its message.
struct Watched<'a> {
    text: &'a str,
    /// How often, since they were counted.
    looks: Cell<usize>,
    /// Why it was left.
    stopped: RefCell<Option<SqlError>>,
}

impl Watched<'_> {
    /// Looks that are counted together.
    const BATCH: usize = 64;
    /// Bytes that one look may pass over in a unit of work: some of them are a search up to the end.
    const PASSED: usize = 256;

    fn look(&self) {
        self.looks.set(self.looks.get() + 1);
        if self.looks.get() < Self::BATCH {
            return;
        }
        if let Err(error) = self.count() {
            *self.stopped.borrow_mut() = Some(error);
            std::panic::resume_unwind(Box::new("a search is left"));
        }
    }

    fn count(&self) -> SqlResult<()> {
        meter::work(self.looks.take() * (1 + self.text.len() / Self::PASSED))
    }
}

impl fancy_regex::Input for Watched<'_> {
    type Match<'t>
        = Range<usize>
    where
        Self: 't;

    fn len(&self) -> usize {
        self.text.len()
    }

    fn as_bytes(&self) -> &[u8] {
        self.look();
        self.text.as_bytes()
    }

    fn is_char_boundary(&self, at: usize) -> bool {
        self.text.is_char_boundary(at)
    }

    fn is_ascii(&self) -> bool {
        self.text.is_ascii()
    }

    fn prev_codepoint_ix(&self, at: usize) -> usize {
        self.look();
        self.text[..at].char_indices().next_back().map_or(0, |(start, _)| start)
    }

    fn make_match(&self, start: usize, end: usize) -> Range<usize> {
        start..end
    }

    fn advance_position(&self, at: usize) -> usize {
        self.look();
        self.text.get(at..).and_then(|rest| rest.chars().next()).map_or(at + 1, |c| at + c.len_utf8())
    }
}

/// A search by backtracking, which can be stopped.
fn watched<T>(text: &str, search: impl FnOnce(&Watched<'_>) -> fancy_regex::Result<T>) -> SqlResult<T> {
    let watched = Watched { text, looks: Cell::new(0), stopped: RefCell::new(None) };
    let found = panics::catch(|| search(&watched));
    match (found, watched.stopped.take()) {
        (Some(found), _) => {
            watched.count()?;
            // What it has to remember is limited.
            found.map_err(|_| SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "regular expression is too complex"))
        }
        (None, Some(error)) => Err(error),
        (None, None) => panic!("the matcher of patterns with lookaround has panicked"),
    }
}

/// A text argument to search in.
fn searched<'a>(args: &[ValueRef<'a>], i: usize) -> SqlResult<&'a str> {
    let s = text(args, i)?;
    if s.len() > SEARCHED {
        let message = format!("a text to match a regular expression against may have {SEARCHED} bytes at most");
        return Err(SqlError::new(crate::error::state::PROGRAM_LIMIT_EXCEEDED, message));
    }
    meter::work(s.len())?;
    Ok(s)
}

fn refused(why: &str) -> SqlError {
    SqlError::new(state::INVALID_REGULAR_EXPRESSION, format!("invalid regular expression: {why}"))
}

fn build(pattern: &str, mut options: Options) -> SqlResult<Pattern> {
    let body = director(pattern, &mut options)?;
    let (source, places) =
        if options.literal { (::regex::escape(body), Places::default()) } else { translate(body, options)? };
    if !places.looks.is_empty() {
        return backtracking(source, options, &places);
    }
    let regex = RegexBuilder::new(&source)
        .size_limit(PROGRAM)
        .dfa_size_limit(8 * PROGRAM)
        .case_insensitive(options.ignore_case)
        .dot_matches_new_line(!options.dot_stops)
        .multi_line(options.by_line)
        .ignore_whitespace(options.expanded)
        .build()
        .map_err(|e| refused(reason(&e.to_string())))?;
    Ok(Pattern::Linear { preferred: preferred(&source, options)?.map(Box::new), regex })
}

/// The last line of a library's complaint.
fn reason(error: &str) -> &str {
    error.lines().last().unwrap_or("").trim_start_matches("error: ")
}

fn backtracking(mut source: String, options: Options, places: &Places) -> SqlResult<Pattern> {
    let mut flags = String::from("(?");
    let set = [(options.ignore_case, 'i'), (!options.dot_stops, 's'), (options.by_line, 'm'), (options.expanded, 'x')];
    flags.extend(set.iter().filter(|(set, _)| *set).map(|(_, letter)| letter));
    flags.push_str(if flags.len() > 2 { ")" } else { ":)" });
    // What decides between several matches.
    let outline = tree(&outline(&source, &places.looks), options).map_err(|e| refused(reason(&e.to_string())))?;
    let prefer = if choices(&outline) < 2 { None } else { preference(&outline) };
    if prefer == Some(Prefer::Longest) {
        // What its parts prefer makes no difference to which match is the longest, and the matcher wants them to be long.
        for at in places.reluctant.iter().rev() {
            source.remove(*at);
        }
    }
    let parts = 1 + places.looks.len();
    let regex = fancy_regex::RegexBuilder::new(&(flags + &source))
        .leftmost_longest(prefer == Some(Prefer::Longest))
        .backtrack_limit(usize::MAX)
        .delegate_size_limit((PARTS / parts).min(PROGRAM))
        .delegate_dfa_size_limit((CACHES / parts).min(8 * PROGRAM))
        .build()
        .map_err(|e| refused(reason(&e.to_string())))?;
    let decided = prefer != Some(Prefer::Shortest) || !lengthens(&outline);
    Ok(Pattern::Backtracking { regex: Box::new(regex), decided })
}

/// A pattern without its lookarounds and back-references.
fn outline(source: &str, looks: &[Range<usize>]) -> String {
    let (mut out, mut from) = (String::with_capacity(source.len()), 0);
    for look in looks {
        // Not those within another.
        if look.start >= from {
            out.push_str(&source[from..look.start]);
            out.push_str("(?:)");
            from = look.end;
        }
    }
    out + &source[from..]
}

fn tree(source: &str, options: Options) -> Result<Ast, regex_syntax::ast::Error> {
    ParserBuilder::new().ignore_whitespace(options.expanded).build().parse(source)
}

/// What finds preferred matches, unless the first that is found is the preferred one.
fn preferred(source: &str, options: Options) -> SqlResult<Option<Preferred>> {
    let Some((ast, prefer)) = tree(source, options).ok().and_then(|ast| preference(&ast).map(|prefer| (ast, prefer)))
    else {
        return Ok(None);
    };
    if choices(&ast) < 2 {
        return Ok(None);
    }
    let config = meta::Config::new().nfa_size_limit(Some(PROGRAM)).hybrid_cache_capacity(8 * PROGRAM);
    let syntax = syntax::Config::new()
        .case_insensitive(options.ignore_case)
        .dot_matches_new_line(!options.dot_stops)
        .multi_line(options.by_line)
        .ignore_whitespace(options.expanded);
    let build = |kind, source: &str| {
        let config = config.clone().match_kind(kind);
        let regex = meta::Regex::builder().configure(config).syntax(syntax).build(source);
        regex.map_err(|e| refused(reason(&e.to_string())))
    };
    // The line ends a comment.
    let whole = format!("(?:{source}{})\\z", if options.expanded { "\n" } else { "" });
    let (end, groups) = (build(MatchKind::All, source)?, build(MatchKind::LeftmostFirst, &whole)?);
    Ok(Some(Preferred { prefer, end, groups }))
}

/// Takes `***=`, `***:` and `(?letters)` from the beginning of a pattern.
fn director<'a>(pattern: &'a str, options: &mut Options) -> SqlResult<&'a str> {
    if let Some(body) = pattern.strip_prefix("***=") {
        options.literal = true;
        return Ok(body);
    }
    let body = pattern.strip_prefix("***:").unwrap_or(pattern);
    let Some((letters, tail)) = body.strip_prefix("(?").and_then(|b| b.split_once(')')) else { return Ok(body) };
    if letters.is_empty() || !letters.bytes().all(|b| b.is_ascii_alphabetic()) {
        return Ok(body);
    }
    match letters.chars().all(|c| options.set(c)) {
        true => Ok(tail),
        false => Err(refused("invalid embedded option")),
    }
}

/// What is where in a pattern in the `regex` crate's syntax.
#[derive(Default)]
struct Places {
    /// Lookarounds and back-references, by where they begin.
    looks: Vec<Range<usize>>,
    /// The question marks that make a repetition prefer short matches.
    reluctant: Vec<usize>,
}

/// A pattern in the `regex` crate's syntax.
fn translate(pattern: &str, options: Options) -> SqlResult<(String, Places)> {
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut rest = pattern;
    // The groups around: where each that looks around begins. Within one, nothing is captured.
    let mut groups: Vec<Option<usize>> = Vec::new();
    let Places { mut looks, mut reluctant } = Places::default();
    while let Some(c) = rest.chars().next() {
        let tail = &rest[c.len_utf8()..];
        rest = match c {
            '\\' if tail.starts_with(|c: char| matches!(c, '1'..='9')) => {
                let start = out.len();
                out.push_str(&format!(r"(?:\{})", &tail[..1]));
                looks.push(start..out.len());
                &tail[1..]
            }
            '\\' => escape(tail, &mut out, false)?,
            ')' => {
                out.push(c);
                looks.extend(groups.pop().flatten().map(|start| start..out.len()));
                tail
            }
            '[' => match (tail.strip_prefix("[:<:]]"), tail.strip_prefix("[:>:]]")) {
                (Some(tail), _) => {
                    out.push_str(r"\b{start}");
                    tail
                }
                (_, Some(tail)) => {
                    out.push_str(r"\b{end}");
                    tail
                }
                _ => bracket(tail, &mut out, options)?,
            },
            '(' => {
                let start = out.len();
                let (opened, tail) = group(tail, &mut out, groups.iter().any(Option::is_some))?;
                groups.extend(opened.map(|looks| looks.then_some(start)));
                tail
            }
            '{' if !tail.starts_with(|c: char| c.is_ascii_digit()) => {
                out.push_str(r"\{");
                tail
            }
            '{' => {
                let (bound, tail) = tail.split_once('}').ok_or_else(|| refused("braces {} not balanced"))?;
                out.push('{');
                out.push_str(bound);
                out.push('}');
                repeated(tail, &mut out, &mut reluctant)
            }
            '*' | '+' | '?' => {
                out.push(c);
                repeated(tail, &mut out, &mut reluctant)
            }
            '}' | ']' => {
                out.push('\\');
                out.push(c);
                tail
            }
            _ => {
                out.push(c);
                tail
            }
        };
    }
    looks.sort_by_key(|look| look.start);
    Ok((out, Places { looks, reluctant }))
}

/// After a quantifier: a question mark makes it prefer short matches.
fn repeated<'a>(tail: &'a str, out: &mut String, reluctant: &mut Vec<usize>) -> &'a str {
    let Some(after) = tail.strip_prefix('?') else { return tail };
    reluctant.push(out.len());
    out.push('?');
    after
}

/// After `(`: the group that is opened, whether it looks around, and the rest; a comment opens none.
fn group<'a>(tail: &'a str, out: &mut String, silent: bool) -> SqlResult<(Option<bool>, &'a str)> {
    let Some(kind) = tail.strip_prefix('?') else {
        out.push_str(if silent { "(?:" } else { "(" });
        return Ok((Some(false), tail));
    };
    if kind.starts_with('#') {
        return Ok((None, kind.split_once(')').map_or("", |(_, after)| after)));
    }
    let known = [(":", false), ("=", true), ("!", true), ("<=", true), ("<!", true)];
    let (sign, looks) = known
        .into_iter()
        .find(|(sign, _)| kind.starts_with(sign))
        .ok_or_else(|| refused("quantifier operand invalid"))?;
    out.push_str("(?");
    out.push_str(sign);
    Ok((Some(looks), &kind[sign.len()..]))
}

/// What is in a class of characters, as it is written inside of brackets: as PostgreSQL has it in a locale of UTF-8, where
/// digits are ASCII's, those of other scripts count as letters, and a space that does not break is none.
fn class(name: &str) -> Option<&'static str> {
    Some(match name {
        "alpha" => r"\p{Alphabetic}[\p{Nd}--[0-9]]",
        "alnum" => r"\p{Alphabetic}\p{Nd}",
        "word" => r"\p{Alphabetic}\p{Nd}_",
        "upper" => r"\p{Changes_When_Lowercased}",
        "lower" => r"\p{Changes_When_Uppercased}",
        "digit" => "0-9",
        "xdigit" => "0-9A-Fa-f",
        "space" => r"\t-\r\x20[\p{Z}--[\u00a0\u2007\u202f]]",
        "blank" => r"\t\x20",
        "cntrl" => r"\x00-\x1f\x7f-\x9f",
        "ascii" => r"\x00-\x7f",
        "print" => r"[^\p{Cn}\p{Cc}\u2028\u2029]",
        "graph" => r"[^\p{Cn}\p{Cc}\x20[\p{Z}--[\u00a0\u2007\u202f]]]",
        "punct" => r"[^\p{Cn}\p{Cc}\x20[\p{Z}--[\u00a0\u2007\u202f]]\p{Alphabetic}\p{Nd}]",
        _ => return None,
    })
}

/// A class in brackets of its own.
fn push_class(class: Option<&str>, negated: bool, out: &mut String) {
    out.push_str(if negated { "[^" } else { "[" });
    out.push_str(class.unwrap_or_default());
    out.push(']');
}

/// After a backslash, outside or inside of brackets.
fn escape<'a>(tail: &'a str, out: &mut String, bracketed: bool) -> SqlResult<&'a str> {
    let c = tail.chars().next().ok_or_else(|| refused("invalid escape \\ sequence"))?;
    let after = &tail[c.len_utf8()..];
    let digits = |max: usize| after.bytes().take(max).take_while(u8::is_ascii_hexdigit).count();
    let mut code = |length: usize| -> SqlResult<&'a str> {
        let n = u32::from_str_radix(&after[..length], 16).ok().filter(|n| char::from_u32(*n).is_some());
        out.push_str(&format!(r"\x{{{:x}}}", n.ok_or_else(|| refused("invalid escape \\ sequence"))?));
        Ok(&after[length..])
    };
    let constraint = match c {
        'y' => r"\b",
        'Y' => r"\B",
        'm' => r"\b{start}",
        'M' => r"\b{end}",
        'A' => r"\A",
        'Z' => r"\z",
        _ => "",
    };
    match c {
        _ if !constraint.is_empty() && bracketed => return Err(refused("invalid escape \\ sequence")),
        _ if !constraint.is_empty() => out.push_str(constraint),
        'd' | 'D' => push_class(class("digit"), c == 'D', out),
        'w' | 'W' => push_class(class("word"), c == 'W', out),
        's' | 'S' => push_class(class("space"), c == 'S', out),
        'f' | 'n' | 'r' | 't' | 'v' | 'a' => {
            out.push('\\');
            out.push(c);
        }
        'b' => out.push_str(r"\x08"),
        'B' => out.push_str(r"\\"),
        'e' => out.push_str(r"\x1B"),
        '0' => out.push_str(r"\x00"),
        'u' if digits(4) == 4 => return code(4),
        'U' if digits(8) == 8 => return code(8),
        'x' if digits(1) == 1 => return code(digits(8)),
        '1'..='9' => return Err(refused("invalid escape \\ sequence")),
        c if c.is_alphanumeric() => return Err(refused("invalid escape \\ sequence")),
        c => out.push_str(&::regex::escape(c.encode_utf8(&mut [0; 4]))),
    }
    Ok(after)
}

/// After `[`: a bracket expression, whose special characters are fewer than in the `regex` crate.
fn bracket<'a>(tail: &'a str, out: &mut String, options: Options) -> SqlResult<&'a str> {
    out.push('[');
    let mut rest = tail;
    if let Some(negated) = rest.strip_prefix('^') {
        out.push_str(if options.dot_stops { r"^\n" } else { "^" });
        rest = negated;
    }
    let mut first = true;
    loop {
        let c = rest.chars().next().ok_or_else(|| refused("brackets [] not balanced"))?;
        let after = &rest[c.len_utf8()..];
        rest = match c {
            ']' if !first => {
                out.push(']');
                return Ok(after);
            }
            '\\' => escape(after, out, true)?,
            '[' if after.starts_with(':') => {
                let (name, after) = after[1..].split_once(":]").ok_or_else(|| refused("invalid character class"))?;
                let known = match name {
                    // Without case, upper is lower.
                    "upper" | "lower" if options.ignore_case => class("alpha"),
                    name => class(name),
                };
                push_class(Some(known.ok_or_else(|| refused("invalid character class"))?), false, out);
                after
            }
            '[' if after.starts_with(['.', '=']) => {
                let close = if after.starts_with('.') { ".]" } else { "=]" };
                let (element, after) =
                    after[1..].split_once(close).ok_or_else(|| refused("invalid collating element"))?;
                out.push_str(&::regex::escape(element));
                after
            }
            '-' => {
                // Between two characters a range; at either end a hyphen.
                out.push_str(if first || after.starts_with(']') { r"\-" } else { "-" });
                after
            }
            '[' | ']' | '&' | '~' | '^' | '#' => {
                out.push('\\');
                out.push(c);
                after
            }
            c if c.is_whitespace() => {
                out.push_str(&format!(r"\x{{{:x}}}", u32::from(c)));
                after
            }
            c => {
                out.push(c);
                after
            }
        };
        first = false;
    }
}

/// SIMILAR TO's pattern as a regular expression that must match the whole text.
fn similar(pattern: &str, escape: &str) -> SqlResult<String> {
    let mut escapes = escape.chars();
    let escape = escapes.next();
    if escapes.next().is_some() {
        return Err(SqlError::new(state::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut out = String::from("^(?:");
    let (mut escaped, mut inside, mut separators) = (false, false, 0);
    for c in pattern.chars() {
        if escaped {
            if c == '"' && !inside {
                // What is between two of them is what SUBSTRING gives: the first part takes as little as it can.
                separators += 1;
                out.push_str(match separators {
                    1 => "){1,1}?(",
                    2 => "){1,1}(?:",
                    _ => {
                        let text =
                            "SQL regular expression may not contain more than two escape-double-quote separators";
                        return Err(SqlError::new(state::INVALID_USE_OF_ESCAPE_CHARACTER, text));
                    }
                });
                escaped = false;
                continue;
            }
            if !c.is_alphanumeric() {
                out.push('\\');
            }
            out.push(c);
            escaped = false;
            continue;
        }
        match c {
            _ if Some(c) == escape => escaped = true,
            _ if inside => {
                if c == '\\' {
                    out.push('\\');
                }
                out.push(c);
                inside = c != ']';
            }
            '[' => {
                out.push(c);
                inside = true;
            }
            '%' => out.push_str(".*"),
            '_' => out.push('.'),
            '(' => out.push_str("(?:"),
            '\\' | '.' | '^' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out.push_str(")$");
    Ok(out)
}

fn matches(args: &[ValueRef<'_>], options: Options) -> SqlResult<Value> {
    compile(text(args, 1)?, options)?.is_match(searched(args, 0)?).map(from_bool)
}

/// Whether (text, pattern) match.
pub(super) fn is_match(args: &[ValueRef<'_>], ignore_case: bool) -> SqlResult<bool> {
    compile(text(args, 1)?, Options { ignore_case, ..Options::default() })?.is_match(searched(args, 0)?)
}

/// The first group if there is one, otherwise the whole match.
fn substring(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let regex = compile(text(args, 1)?, Options::default())?;
    let group = usize::from(regex.captures_len() > 1);
    let found = regex.find(searched(args, 0)?, 0)?;
    Ok(found.and_then(|found| found.get(group)).map_or(Value::Null, from_text))
}

/// The byte offset of a start position in characters, from 1; none past the end.
fn start(s: &str, position: i64) -> SqlResult<Option<usize>> {
    if position <= 0 {
        return Err(invalid(format!("invalid value for parameter \"start\": {position}")));
    }
    let skip = usize::try_from(position - 1).unwrap_or(usize::MAX);
    Ok(s.char_indices().map(|(i, _)| i).chain([s.len()]).nth(skip))
}

/// The matches in a text from an offset on, one after another: an empty one also where another has just ended, and at the
/// end, as in PostgreSQL. What stands before the offset counts for `^` and the borders of words.
fn all<'a>(regex: &'a Pattern, s: &'a str, from: Option<usize>) -> impl Iterator<Item = SqlResult<Found<'a>>> {
    let mut next = from;
    std::iter::from_fn(move || {
        let found = match regex.find(s, next?) {
            Ok(found) => found?,
            Err(e) => {
                next = None;
                return Some(Err(e));
            }
        };
        let whole = found.range();
        // After an empty match the next character is passed over.
        let passed = if whole.is_empty() { s[whole.end..].chars().next().map(char::len_utf8) } else { Some(0) };
        next = passed.map(|length| whole.end + length);
        Some(meter::work(16 + found.len()).map(|()| found))
    })
}

/// The match with `n` others before it. What those cost is not passed over.
fn nth_of<T>(mut all: impl Iterator<Item = SqlResult<T>>, n: usize) -> SqlResult<Option<T>> {
    for _ in 0..n {
        if all.next().transpose()?.is_none() {
            return Ok(None);
        }
    }
    all.next().transpose()
}

fn nth(args: &[ValueRef<'_>], i: usize) -> SqlResult<usize> {
    match int(args, i)? {
        n if n > 0 => Ok(n as usize - 1),
        n => Err(invalid(format!("invalid value for parameter \"n\": {n}"))),
    }
}

fn count(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let s = searched(args, 0)?;
    let regex = compile(text(args, 1)?, flags(text(args, 3)?, Some("regexp_count"))?.0)?;
    let mut count = 0;
    for found in all(&regex, s, start(s, int(args, 2)?)?) {
        found?;
        count += 1;
    }
    Ok(Value::Int(count))
}

/// (text, pattern, start, N, flags, group)
fn substr(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let s = searched(args, 0)?;
    let regex = compile(text(args, 1)?, flags(text(args, 4)?, Some("regexp_substr"))?.0)?;
    let group = wanted_group(args, 5)?;
    let found = nth_of(all(&regex, s, start(s, int(args, 2)?)?), nth(args, 3)?)?;
    Ok(found.and_then(|found| found.get(group)).map_or(Value::Null, from_text))
}

/// Which group of a match is meant; 0: all of it.
fn wanted_group(args: &[ValueRef<'_>], i: usize) -> SqlResult<usize> {
    let n = int(args, i)?;
    usize::try_from(n).map_err(|_| invalid(format!("invalid value for parameter \"subexpr\": {n}")))
}

/// (text, pattern, start, N): the position of the Nth match's first character, 0 if there is none.
fn instr(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let s = searched(args, 0)?;
    let regex = compile(text(args, 1)?, Options::default())?;
    let found = nth_of(all(&regex, s, start(s, int(args, 2)?)?), nth(args, 3)?)?;
    Ok(Value::Int(found.map_or(0, |found| s[..found.range().start].chars().count() as i64 + 1)))
}

/// (text, pattern, start, N, 1 for where it ends, flags, group): likewise of a group of the match.
fn instr_of(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let s = searched(args, 0)?;
    let (from, n) = (start(s, int(args, 2)?)?, nth(args, 3)?);
    let ends = match int(args, 4)? {
        0 => false,
        1 => true,
        other => return Err(invalid(format!("invalid value for parameter \"endoption\": {other}"))),
    };
    let group = wanted_group(args, 6)?;
    let regex = compile(text(args, 1)?, flags(text(args, 5)?, Some("regexp_instr"))?.0)?;
    let found = nth_of(all(&regex, s, from), n)?;
    let place = found.and_then(|found| found.place(group)).map(|at| if ends { at.end } else { at.start });
    Ok(Value::Int(place.map_or(0, |at| s[..at].chars().count() as i64 + 1)))
}

/// The groups of a match, or the whole match if the pattern has none.
fn groups(found: &Found<'_>) -> SqlResult<Value> {
    let first = usize::from(found.len() > 1);
    text_array((first..found.len()).map(|i| found.get(i)))
}

fn first_match(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let regex = compile(text(args, 1)?, flags(text(args, 2)?, Some("regexp_match"))?.0)?;
    regex.find(searched(args, 0)?, 0)?.map_or(Ok(Value::Null), |found| groups(&found))
}

/// The rows of regexp_matches: one match, or with the flag `g` all.
pub(super) fn all_matches(args: &[ValueRef<'_>]) -> SqlResult<Vec<Value>> {
    let (options, global) = flags(text(args, 2)?, None)?;
    let regex = compile(text(args, 1)?, options)?;
    let limit = if global { usize::MAX } else { 1 };
    let mut rows = Vec::new();
    for found in all(&regex, searched(args, 0)?, Some(0)).take(limit) {
        crate::types::array::keep(&mut rows, groups(&found?)?)?;
    }
    Ok(rows)
}

/// (text, pattern, replacement, flags[, start, N]): N = 0 replaces all; so does the flag `g` where N is not given.
fn replace(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, replacement) = (searched(args, 0)?, text(args, 2)?);
    let (options, global) = flags(text(args, 3)?, None)?;
    let regex = compile(text(args, 1)?, options)?;
    let from = optional(args, 4, int)?.map_or(Ok(Some(0)), |position| start(s, position))?;
    let which = match optional(args, 5, int)? {
        Some(n) if n < 0 => return Err(invalid(format!("invalid value for parameter \"n\": {n}"))),
        Some(n) => n as usize,
        None => usize::from(!global),
    };
    let (mut out, mut done) = (String::new(), 0);
    for (i, found) in all(&regex, s, from).enumerate() {
        let found = found?;
        if which != 0 && which != i + 1 {
            continue;
        }
        let whole = found.range();
        out.push_str(&s[done..whole.start]);
        let before = out.len();
        expand(&found, replacement, &mut out);
        // A string that grows may have its contents twice, and as much room again.
        meter::work(out.len().saturating_sub(before))?;
        meter::hold(3 * (out.len().saturating_sub(before)))?;
        if out.len() > super::arg::MAX_BYTES {
            return Err(super::arg::too_long());
        }
        done = whole.end;
        if which != 0 {
            break;
        }
    }
    out.push_str(&s[done..]);
    Ok(Value::Text(out))
}

/// `\1`…`\9` are groups, `\&` the whole match, `\\` a backslash; any other backslash stands for itself.
fn expand(found: &Found<'_>, replacement: &str, out: &mut String) {
    let mut chars = replacement.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek().copied()) {
            ('\\', Some(n @ '1'..='9')) => {
                chars.next();
                out.push_str(found.get(n as usize - '0' as usize).unwrap_or_default());
            }
            ('\\', Some('&')) => {
                chars.next();
                out.push_str(found.get(0).unwrap_or_default());
            }
            ('\\', Some('\\')) => {
                chars.next();
                out.push('\\');
            }
            _ => out.push(c),
        }
    }
}

/// Splits at matches; an empty match at either end or right after another match splits nothing.
fn split(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let s = searched(args, 0)?;
    let (options, global) = flags(text(args, 2)?, None)?;
    if global {
        return Err(invalid("regexp_split_to_array() does not support the \"global\" option"));
    }
    let (mut parts, mut done, mut last) = (Vec::new(), 0, 0);
    for found in all(&*compile(text(args, 1)?, options)?, s, Some(0)) {
        let m = found?.range();
        if m.start < s.len() && m.end > last {
            meter::hold(size_of::<Option<&str>>())?;
            parts.push(Some(&s[done..m.start]));
            done = m.end;
        }
        last = m.end;
    }
    parts.push(Some(&s[done..]));
    text_array(parts.into_iter())
}

/// What every text begins with that a pattern fits, if the pattern says so in plain letters at its beginning.
pub fn anchored_prefix(pattern: &str) -> Option<String> {
    // An alternative need not begin alike.
    let mut chars = pattern.strip_prefix('^').filter(|rest| !rest.contains('|'))?.chars().peekable();
    let mut prefix = String::new();
    while let Some(c) = chars.next() {
        let c = match c {
            '\\' => match chars.next() {
                Some(escaped) if escaped.is_ascii_punctuation() => escaped,
                _ => break,
            },
            '.' | '[' | '(' | ')' | '$' | '^' | '*' | '+' | '?' | '{' => break,
            c => c,
        };
        match chars.peek() {
            // It may be there or not.
            Some('*' | '?' | '{') => break,
            _ => prefix.push(c),
        }
    }
    Some(prefix).filter(|prefix| !prefix.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::meter::{Limits, Meter, Stop};
    use std::sync::Arc;

    #[test]
    fn prefixes_of_anchored_patterns() {
        let of = |pattern| anchored_prefix(pattern).unwrap_or_default();
        for (pattern, prefix) in [
            ("^ab", "ab"),
            ("^ab.*c", "ab"),
            ("^ab*c", "a"),
            ("^ab?", "a"),
            ("^ab{0,2}", "a"),
            ("^ab+c", "ab"),
            (r"^a\.b", "a.b"),
            (r"^a\d", "a"),
            (r"^a\.?b", "a"),
            ("^(ab)c", ""),
            ("^ab|c", ""),
            ("ab", ""),
            ("^[ab]", ""),
            ("^", ""),
            ("^ü$", "ü"),
        ] {
            assert_eq!(of(pattern), prefix, "{pattern}");
        }
    }

    #[test]
    fn a_search_by_backtracking_is_counted_and_stopped() {
        let meter = Arc::new(Meter::default());
        let text = "a".repeat(20_000) + "dbc";
        for pattern in ["(?!(a|aa)+b)(a*)*c", r"^(a|aa)+\1\1c", r"(a*)(a*)(a*)\1b"] {
            meter.begin(Limits { work: 1 << 24, ..Limits::NONE });
            let _entered = meter.enter();
            let pattern = build(pattern, Options::default()).unwrap();
            let found = pattern.is_match(&text);
            assert!(found.is_err() && meter.take_stop() == Some(Stop::Work), "{found:?} after {}", meter.spent());
            assert!(meter.spent() < (1 << 24) + (1 << 20), "{}", meter.spent());
            // The pattern can be used again.
            meter.begin(Limits::NONE);
            assert_eq!(pattern.is_match("x").ok(), Some(false));
        }
        assert!(matches!(build("(?=a)b", Options::default()).unwrap().is_match(&text), Ok(false)));
    }

    #[test]
    fn translation() {
        for (pattern, expected) in [
            (r"^a.*b$", r"^a.*b$"),
            (r"\yfoo\y", r"\bfoo\b"),
            (r"[[:alpha:]_-]", r"[[\p{Alphabetic}[\p{Nd}--[0-9]]]_\-]"),
            (r"[]a&&b~[]", r"[\]a\&\&b\~\[]"),
            (r"a{2,3}b{x", r"a{2,3}b\{x"),
            (r"(?:a)(?#note)b", r"(?:a)b"),
            (r"[[:<:]]w[[:>:]]", r"\b{start}w\b{end}"),
            ("\\u00e9", r"\x{e9}"),
            (r"a\.b\/c", r"a\.b/c"),
        ] {
            let (translated, places) = translate(pattern, Options::default()).unwrap();
            assert!(places.looks.is_empty());
            assert_eq!(translated, expected, "{pattern}");
            Regex::new(&translated).unwrap();
        }
        for pattern in ["a(", "[a", r"\q", r"(?=a", r"\2(a)", "(?<a)"] {
            assert_eq!(build(pattern, Options::default()).err().unwrap().code.as_str(), "2201B", "{pattern}");
        }
    }
}
