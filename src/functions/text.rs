//! text, varchar, char(n), name, "char", bytea and uuid.
//!
//! All character types are TEXT in SQLite with its bytewise order, which is Postgres' "C" collation. What SQLite does alike
//! stays its own (concatenation, replace, trim, instr, length); positions count characters in both.
//! Case mapping is Unicode's for single characters; a character whose mapping is longer (ß) stays as it is.

use super::arg::{MAX_BYTES, blob, from_bool, from_text, int, invalid, text, too_long};
use super::table::*;
use super::{Aggregate, Cast, Context, Function, Operator, Scalar};
use crate::error::{SqlError, SqlResult, state};
use crate::meter;
use crate::types::encoding::Encoding;
use crate::value::{Value, ValueRef};
use base64::Engine as _;
use sha2::Digest as _;
use unicode_normalization::UnicodeNormalization as _;

pub const COMPARISONS: &[Operator] = &comparisons::<48>(&[
    (TEXT, TEXT),
    (NAME, NAME),
    (NAME, TEXT),
    (TEXT, NAME),
    (BPCHAR, BPCHAR),
    (CHAR, CHAR),
    (BYTEA, BYTEA),
    (UUID, UUID),
]);

pub const OPERATORS: &[Operator] = &[
    op("~<~", TEXT, TEXT, BOOL, "({0} < {1})"),
    op("~<=~", TEXT, TEXT, BOOL, "({0} <= {1})"),
    op("~>~", TEXT, TEXT, BOOL, "({0} > {1})"),
    op("~>=~", TEXT, TEXT, BOOL, "({0} >= {1})"),
    op("||", TEXT, TEXT, TEXT, "({0} || {1})"),
    op("||", TEXT, ANYNONARRAY, TEXT, "({0} || {1:out})"),
    op("||", ANYNONARRAY, TEXT, TEXT, "({0:out} || {1})"),
    op("||", BYTEA, BYTEA, BYTEA, "q_bytea_cat({0}, {1})"),
    op("^@", TEXT, TEXT, BOOL, "q_starts_with({0}, {1})"),
    op("~~", TEXT, TEXT, BOOL, "q_like({0}, {1})"),
    op("!~~", TEXT, TEXT, BOOL, "(NOT q_like({0}, {1}))"),
    op("~~*", TEXT, TEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~*", TEXT, TEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    op("~~", NAME, TEXT, BOOL, "q_like({0}, {1})"),
    op("!~~", NAME, TEXT, BOOL, "(NOT q_like({0}, {1}))"),
    op("~~*", NAME, TEXT, BOOL, "q_ilike({0}, {1})"),
    op("!~~*", NAME, TEXT, BOOL, "(NOT q_ilike({0}, {1}))"),
    // Patterns see the blanks that pad a char(n).
    op("~~", BPCHAR, TEXT, BOOL, "q_like({0:out}, {1})"),
    op("!~~", BPCHAR, TEXT, BOOL, "(NOT q_like({0:out}, {1}))"),
    op("~~*", BPCHAR, TEXT, BOOL, "q_ilike({0:out}, {1})"),
    op("!~~*", BPCHAR, TEXT, BOOL, "(NOT q_ilike({0:out}, {1}))"),
];

pub const FUNCTIONS: &[Function] = &[
    func("like", &[TEXT, TEXT], BOOL, "q_like({0}, {1})"),
    func("notlike", &[TEXT, TEXT], BOOL, "(NOT q_like({0}, {1}))"),
    func("like_escape", &[TEXT, TEXT], TEXT, "q_like_escape({0}, {1})"),
    func("lower", &[TEXT], TEXT, "q_lower({0})"),
    func("upper", &[TEXT], TEXT, "q_upper({0})"),
    func("initcap", &[TEXT], TEXT, "q_initcap({0})"),
    func("unistr", &[TEXT], TEXT, "q_unistr({0})"),
    func("normalize", &[TEXT], TEXT, "q_normalize({0}, 'NFC')"),
    func("normalize", &[TEXT, TEXT], TEXT, "q_normalize({0}, {1})"),
    func("is_normalized", &[TEXT], BOOL, "({0} = q_normalize({0}, 'NFC'))"),
    func("is_normalized", &[TEXT, TEXT], BOOL, "({0} = q_normalize({0}, {1}))"),
    func("length", &[TEXT], INT4, "length({0})"),
    func("length", &[BPCHAR], INT4, "length(rtrim({0}, ' '))"),
    func("length", &[BYTEA], INT4, "length({0})"),
    func("char_length", &[TEXT], INT4, "length({0})"),
    func("char_length", &[BPCHAR], INT4, "length(rtrim({0}, ' '))"),
    func("character_length", &[TEXT], INT4, "length({0})"),
    func("character_length", &[BPCHAR], INT4, "length(rtrim({0}, ' '))"),
    func("octet_length", &[TEXT], INT4, "octet_length({0})"),
    func("octet_length", &[BPCHAR], INT4, "octet_length({0:out})"),
    func("octet_length", &[BYTEA], INT4, "octet_length({0})"),
    func("bit_length", &[TEXT], INT4, "(8 * octet_length({0}))"),
    func("bit_length", &[BYTEA], INT4, "(8 * octet_length({0}))"),
    func("substring", &[TEXT, INT4], TEXT, "q_substr({0}, {1})"),
    func("substring", &[TEXT, INT4, INT4], TEXT, "q_substr({0}, {1}, {2})"),
    func("substring", &[BYTEA, INT4], BYTEA, "q_substr({0}, {1})"),
    func("substring", &[BYTEA, INT4, INT4], BYTEA, "q_substr({0}, {1}, {2})"),
    func("substr", &[TEXT, INT4], TEXT, "q_substr({0}, {1})"),
    func("substr", &[TEXT, INT4, INT4], TEXT, "q_substr({0}, {1}, {2})"),
    func("substr", &[BYTEA, INT4], BYTEA, "q_substr({0}, {1})"),
    func("substr", &[BYTEA, INT4, INT4], BYTEA, "q_substr({0}, {1}, {2})"),
    func("overlay", &[TEXT, TEXT, INT4], TEXT, "q_overlay({0}, {1}, {2})"),
    func("overlay", &[TEXT, TEXT, INT4, INT4], TEXT, "q_overlay({0}, {1}, {2}, {3})"),
    func("left", &[TEXT, INT4], TEXT, "q_left({0}, {1})"),
    func("right", &[TEXT, INT4], TEXT, "q_right({0}, {1})"),
    func("position", &[TEXT, TEXT], INT4, "q_strpos({0}, {1})"),
    func("position", &[BYTEA, BYTEA], INT4, "q_strpos({0}, {1})"),
    func("strpos", &[TEXT, TEXT], INT4, "q_strpos({0}, {1})"),
    func("btrim", &[TEXT], TEXT, "trim({0})"),
    func("btrim", &[TEXT, TEXT], TEXT, "q_trim({0}, {1}, 3)"),
    func("ltrim", &[TEXT], TEXT, "ltrim({0})"),
    func("ltrim", &[TEXT, TEXT], TEXT, "q_trim({0}, {1}, 1)"),
    func("rtrim", &[TEXT], TEXT, "rtrim({0})"),
    func("rtrim", &[TEXT, TEXT], TEXT, "q_trim({0}, {1}, 2)"),
    func("lpad", &[TEXT, INT4], TEXT, "q_lpad({0}, {1}, ' ')"),
    func("lpad", &[TEXT, INT4, TEXT], TEXT, "q_lpad({0}, {1}, {2})"),
    func("rpad", &[TEXT, INT4], TEXT, "q_rpad({0}, {1}, ' ')"),
    func("rpad", &[TEXT, INT4, TEXT], TEXT, "q_rpad({0}, {1}, {2})"),
    func("repeat", &[TEXT, INT4], TEXT, "q_repeat({0}, {1})"),
    func("replace", &[TEXT, TEXT, TEXT], TEXT, "q_replace({0}, {1}, {2})"),
    func("reverse", &[TEXT], TEXT, "q_reverse({0})"),
    func("split_part", &[TEXT, TEXT, INT4], TEXT, "q_split_part({0}, {1}, {2})"),
    func("translate", &[TEXT, TEXT, TEXT], TEXT, "q_translate({0}, {1}, {2})"),
    func("ascii", &[TEXT], INT4, "q_ascii({0})"),
    func("chr", &[INT4], TEXT, "q_chr({0})"),
    func("starts_with", &[TEXT, TEXT], BOOL, "q_starts_with({0}, {1})"),
    func("concat", &[ANY], TEXT, "q_concat({*:out})").variadic().stable(),
    func("concat_ws", &[TEXT, ANY], TEXT, "q_concat_ws({*:out})").variadic().stable(),
    func("format", &[TEXT], TEXT, "q_format({0})").stable(),
    func("format", &[TEXT, ANY], TEXT, "q_format({*:out})").variadic().stable(),
    func("quote_ident", &[TEXT], TEXT, "q_quote_ident({0})"),
    func("quote_literal", &[TEXT], TEXT, "q_quote_literal({0})"),
    func("quote_literal", &[ANYELEMENT], TEXT, "q_quote_literal({0:out})").stable(),
    func("quote_nullable", &[TEXT], TEXT, "q_quote_nullable({0})"),
    func("quote_nullable", &[ANYELEMENT], TEXT, "q_quote_nullable({0:out})").stable(),
    func("to_hex", &[INT4], TEXT, "q_to_hex({0}, 4)"),
    func("to_hex", &[INT8], TEXT, "q_to_hex({0}, 8)"),
    func("md5", &[TEXT], TEXT, "q_md5({0})"),
    func("md5", &[BYTEA], TEXT, "q_md5({0})"),
    func("sha224", &[BYTEA], BYTEA, "q_sha({0}, 224)"),
    func("sha256", &[BYTEA], BYTEA, "q_sha({0}, 256)"),
    func("sha384", &[BYTEA], BYTEA, "q_sha({0}, 384)"),
    func("sha512", &[BYTEA], BYTEA, "q_sha({0}, 512)"),
    func("encode", &[BYTEA, TEXT], TEXT, "q_encode({0}, {1})"),
    func("decode", &[TEXT, TEXT], BYTEA, "q_decode({0}, {1})"),
    func("convert_from", &[BYTEA, NAME], TEXT, "q_convert_from({0}, {1})").stable(),
    func("convert_to", &[TEXT, NAME], BYTEA, "q_convert_to({0}, {1})").stable(),
    func("get_byte", &[BYTEA, INT4], INT4, "q_get_byte({0}, {1})"),
    func("set_byte", &[BYTEA, INT4, INT4], BYTEA, "q_set_byte({0}, {1}, {2})"),
    func("get_bit", &[BYTEA, INT8], INT4, "q_get_bit({0}, {1})"),
    func("set_bit", &[BYTEA, INT8, INT4], BYTEA, "q_set_bit({0}, {1}, {2})"),
    func("bit_count", &[BYTEA], INT8, "q_bit_count({0})"),
];

pub const CASTS: &[Cast] = &[
    implicit(VARCHAR, TEXT, "{0}"),
    implicit(BPCHAR, TEXT, "rtrim({0}, ' ')"),
    implicit(NAME, TEXT, "{0}"),
    implicit(CHAR, TEXT, "{0}"),
    implicit(TEXT, VARCHAR, "{0}"),
    assignment(TEXT, VARCHAR, "q_varchar({0}, {typmod})"),
    explicit(TEXT, VARCHAR, "q_varchar_cut({0}, {typmod})"),
    implicit(VARCHAR, VARCHAR, "{0}"),
    assignment(VARCHAR, VARCHAR, "q_varchar({0}, {typmod})"),
    explicit(VARCHAR, VARCHAR, "q_varchar_cut({0}, {typmod})"),
    implicit(BPCHAR, VARCHAR, "rtrim({0}, ' ')"),
    assignment(BPCHAR, VARCHAR, "q_varchar(rtrim({0}, ' '), {typmod})"),
    explicit(BPCHAR, VARCHAR, "q_varchar_cut(rtrim({0}, ' '), {typmod})"),
    assignment(NAME, VARCHAR, "q_varchar({0}, {typmod})"),
    explicit(NAME, VARCHAR, "q_varchar_cut({0}, {typmod})"),
    assignment(CHAR, VARCHAR, "q_varchar({0}, {typmod})"),
    implicit(TEXT, BPCHAR, "{0}"),
    assignment(TEXT, BPCHAR, "q_bpchar({0}, {typmod})"),
    explicit(TEXT, BPCHAR, "q_bpchar_cut({0}, {typmod})"),
    implicit(VARCHAR, BPCHAR, "{0}"),
    assignment(VARCHAR, BPCHAR, "q_bpchar({0}, {typmod})"),
    explicit(VARCHAR, BPCHAR, "q_bpchar_cut({0}, {typmod})"),
    implicit(BPCHAR, BPCHAR, "{0}"),
    assignment(BPCHAR, BPCHAR, "q_bpchar({0}, {typmod})"),
    explicit(BPCHAR, BPCHAR, "q_bpchar_cut({0}, {typmod})"),
    assignment(NAME, BPCHAR, "q_bpchar({0}, {typmod})"),
    explicit(NAME, BPCHAR, "q_bpchar_cut({0}, {typmod})"),
    assignment(CHAR, BPCHAR, "q_bpchar({0}, {typmod})"),
    implicit(TEXT, NAME, "q_name({0})"),
    implicit(VARCHAR, NAME, "q_name({0})"),
    implicit(BPCHAR, NAME, "q_name(rtrim({0}, ' '))"),
    assignment(TEXT, CHAR, "q_char({0})"),
    assignment(VARCHAR, CHAR, "q_char({0})"),
    assignment(BPCHAR, CHAR, "q_char({0})"),
    explicit(CHAR, INT4, "q_char_int({0})"),
    explicit(INT4, CHAR, "q_int_char({0})"),
];

pub const AGGREGATES: &[Aggregate] = &[];

pub const SCALARS: &[Scalar] = &[
    scalar("q_name_byte", 2, |_, a| {
        // A name is 64 bytes, of which those after its end are zero: the empty "char".
        let (name, at) = (text(a, 0)?.as_bytes(), int(a, 1)?);
        Ok(match usize::try_from(at).ok().filter(|at| *at < 64) {
            Some(at) => {
                Value::Text(name.get(at).filter(|b| b.is_ascii()).map_or_else(String::new, |b| char::from(*b).into()))
            }
            None => Value::Null,
        })
    }),
    scalar("q_like", 2, |_, a| like(text(a, 0)?, text(a, 1)?).map(from_bool)),
    scalar("q_ilike", 2, |_, a| like(&lower(text(a, 0)?), &lower(text(a, 1)?)).map(from_bool)),
    scalar("q_like_from", 1, |_, a| Ok(Value::Text(like_prefix(text(a, 0)?)))),
    // Beyond all texts, for SQLite, are the blobs.
    scalar("q_like_to", 1, |_, a| {
        Ok(after_all_with(&like_prefix(text(a, 0)?)).map_or_else(|| Value::Blob(Vec::new()), Value::Text))
    }),
    scalar("q_like_escape", 2, |_, a| like_escape(text(a, 0)?, text(a, 1)?).map(Value::Text)),
    scalar("q_lower", 1, |_, a| Ok(Value::Text(lower(text(a, 0)?)))),
    scalar("q_upper", 1, |_, a| Ok(Value::Text(upper(text(a, 0)?)))),
    scalar("q_unistr", 1, |_, a| unescaped(text(a, 0)?).map(from_text)),
    scalar("q_normalize", 2, |_, a| normalized(text(a, 0)?, text(a, 1)?).map(from_text)),
    scalar("q_initcap", 1, |_, a| Ok(Value::Text(initcap(text(a, 0)?)))),
    scalar("q_substr", 2, substr),
    scalar("q_substr", 3, substr),
    scalar("q_overlay", 3, overlay),
    scalar("q_overlay", 4, overlay),
    scalar("q_left", 2, |_, a| Ok(from_text(split_chars(text(a, 0)?, int(a, 1)?).0))),
    scalar("q_right", 2, |_, a| {
        let (s, n) = (text(a, 0)?, int(a, 1)?);
        let skip = if n < 0 { n.saturating_neg() } else { (count(s) as i64 - n).max(0) };
        Ok(from_text(split_chars(s, skip).1))
    }),
    scalar("q_lpad", 3, |_, a| {
        pad(a, |fill, s| {
            let mut out = fill;
            out.push_str(s);
            out
        })
    }),
    scalar("q_rpad", 3, |_, a| pad(a, |fill, s| s.to_owned() + &fill)),
    scalar("q_repeat", 2, repeat),
    scalar("q_strpos", 2, strpos),
    scalar("q_replace", 3, replace),
    scalar("q_trim", 3, trim),
    scalar("q_reverse", 1, |_, a| Ok(from_text(text(a, 0)?.chars().rev().collect::<String>()))),
    scalar("q_split_part", 3, split_part),
    scalar("q_translate", 3, translate),
    scalar("q_ascii", 1, |_, a| Ok(Value::Int(text(a, 0)?.chars().next().map_or(0, |c| u32::from(c).into())))),
    scalar("q_chr", 1, chr),
    scalar("q_starts_with", 2, |_, a| Ok(from_bool(text(a, 0)?.starts_with(text(a, 1)?)))),
    scalar("q_concat", -1, concat).lax(),
    scalar("q_concat_ws", -1, concat_ws).lax(),
    scalar("q_format", -1, |_, a| format(a)).lax(),
    scalar("q_quote_ident", 1, |_, a| Ok(Value::Text(quote_ident(text(a, 0)?)))),
    scalar("q_quote_literal", 1, |_, a| Ok(Value::Text(quote_literal(text(a, 0)?)))),
    scalar("q_quote_nullable", 1, |_, a| {
        Ok(Value::Text(if a[0].is_null() { "NULL".to_owned() } else { quote_literal(text(a, 0)?) }))
    })
    .lax(),
    scalar("q_to_hex", 2, |_, a| {
        let v = int(a, 0)?;
        Ok(from_text(if int(a, 1)? == 4 { format!("{:x}", v as i32) } else { format!("{v:x}") }))
    }),
    scalar("q_md5", 1, |_, a| Ok(from_text(hex::encode(md5::Md5::digest(bytes(a, 0)?))))),
    scalar("q_sha", 2, sha),
    scalar("q_encode", 2, encode),
    scalar("q_decode", 2, decode),
    scalar("q_convert_from", 2, convert_from),
    scalar("q_convert_to", 2, |_, a| Ok(Value::Blob(encoding(text(a, 1)?)?.encode(text(a, 0)?)?.into_owned()))),
    scalar("q_get_byte", 2, |_, a| {
        let b = blob(a, 0)?;
        Ok(Value::Int(b[byte_index(b, int(a, 1)?)?].into()))
    }),
    scalar("q_set_byte", 3, |_, a| {
        let mut b = blob(a, 0)?.to_vec();
        let i = byte_index(&b, int(a, 1)?)?;
        b[i] = int(a, 2)? as u8;
        Ok(Value::Blob(b))
    }),
    // Bits count from the lowest of the first byte on.
    scalar("q_get_bit", 2, |_, a| {
        let (b, i) = (blob(a, 0)?, int(a, 1)?);
        Ok(Value::Int((b[bit_index(b, i)? / 8] >> (i % 8) & 1).into()))
    }),
    scalar("q_set_bit", 3, |_, a| {
        let (mut b, i, new) = (blob(a, 0)?.to_vec(), int(a, 1)?, int(a, 2)?);
        let at = bit_index(&b, i)? / 8;
        match new {
            0 => b[at] &= !(1 << (i % 8)),
            1 => b[at] |= 1 << (i % 8),
            _ => return Err(invalid("new bit must be 0 or 1")),
        }
        Ok(Value::Blob(b))
    }),
    scalar("q_bit_count", 1, |_, a| Ok(Value::Int(blob(a, 0)?.iter().map(|b| i64::from(b.count_ones())).sum()))),
    scalar("q_bytea_cat", 2, |_, a| Ok(Value::Blob([blob(a, 0)?, blob(a, 1)?].concat()))),
    scalar("q_varchar", 2, |_, a| fit(text(a, 0)?, int(a, 1)?, "character varying", false).map(from_text)),
    scalar("q_varchar_cut", 2, |_, a| fit(text(a, 0)?, int(a, 1)?, "character varying", true).map(from_text)),
    // Without a length, blanks belong to the value.
    scalar("q_bpchar", 2, |_, a| match int(a, 1)? {
        -1 => Ok(from_text(text(a, 0)?)),
        typmod => fit(trimmed(a)?, typmod, "character", false).map(from_text),
    }),
    scalar("q_bpchar_cut", 2, |_, a| {
        if int(a, 1)? == -1 {
            return Ok(from_text(text(a, 0)?));
        }
        fit(trimmed(a)?, int(a, 1)?, "character", true).map(|s| from_text(s.trim_end_matches(' ')))
    }),
    scalar("q_name", 1, |_, a| Ok(from_text(cut_bytes(text(a, 0)?, 63)))),
    scalar("q_char", 1, |_, a| Ok(from_text(text(a, 0)?.chars().take(1).collect::<String>()))),
    scalar("q_char_int", 1, |_, a| Ok(Value::Int(text(a, 0)?.as_bytes().first().map_or(0, |b| (*b as i8).into())))),
    scalar("q_int_char", 1, |_, a| match int(a, 0)? {
        0 => Ok(from_text("")),
        v @ 1..=127 => Ok(from_text((v as u8 as char).to_string())),
        _ => Err(SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, "\"char\" out of range")),
    }),
];

/// Words that an identifier may not be without quotes: all keywords but the unreserved ones, in order.
const KEYWORDS: &[&str] = &[
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "greatest",
    "group",
    "grouping",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "inout",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "least",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "national",
    "natural",
    "nchar",
    "none",
    "normalize",
    "not",
    "notnull",
    "null",
    "nullif",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "out",
    "outer",
    "overlaps",
    "overlay",
    "placing",
    "position",
    "precision",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "setof",
    "similar",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlattributes",
    "xmlconcat",
    "xmlelement",
    "xmlexists",
    "xmlforest",
    "xmlnamespaces",
    "xmlparse",
    "xmlpi",
    "xmlroot",
    "xmlserialize",
    "xmltable",
];

/// Steps of LIKE that are counted together.
const LIKE_STEPS: usize = 1000;

/// LIKE: `%` any text, `_` any character, `\` takes the next as it is.
pub(super) fn like(s: &str, pattern: &str) -> SqlResult<bool> {
    let (s, p) = (s.as_bytes(), pattern.as_bytes());
    let (mut si, mut pi) = (0, 0);
    // Where to go on when it does not fit: after the last `%`, one character further on in the text.
    let mut retry: Option<(usize, usize)> = None;
    let mut steps = 0;
    loop {
        steps += 1;
        if steps == LIKE_STEPS {
            meter::work(LIKE_STEPS)?;
            steps = 0;
        }
        let fits = match p.get(pi) {
            Some(b'%') => {
                pi += 1;
                if pi == p.len() {
                    return Ok(true);
                }
                retry = Some((si, pi));
                continue;
            }
            Some(b'_') if si < s.len() => {
                pi += 1;
                si += width(s[si]);
                true
            }
            Some(b'\\') => {
                let Some(next) = p.get(pi + 1) else {
                    return Err(SqlError::new(
                        state::INVALID_ESCAPE_SEQUENCE,
                        "LIKE pattern must not end with escape character",
                    ));
                };
                let same = s.get(si) == Some(next);
                if same {
                    (pi, si) = (pi + 2, si + 1);
                }
                same
            }
            Some(c) if s.get(si) == Some(c) && *c != b'_' => {
                (pi, si) = (pi + 1, si + 1);
                true
            }
            // A literal `_` was handled above unless the text is at its end.
            Some(_) => false,
            None if si == s.len() => return Ok(true),
            None => false,
        };
        if !fits {
            match retry {
                Some((from, p_from)) if from < s.len() => {
                    let next = from + width(s[from]);
                    retry = Some((next, p_from));
                    (si, pi) = (next, p_from);
                }
                _ => return Ok(false),
            }
        }
    }
}

/// Bytes of the UTF-8 character that begins with a byte.
fn width(first: u8) -> usize {
    match first {
        0..0xC0 => 1,
        0xC0..0xE0 => 2,
        0xE0..0xF0 => 3,
        _ => 4,
    }
}

/// A pattern with another escape character, or none, as one with the backslash.
/// What every text begins with that is LIKE a pattern.
pub fn like_prefix(pattern: &str) -> String {
    let (mut prefix, mut chars) = (String::new(), pattern.chars());
    while let Some(c) = chars.next() {
        let literal = match c {
            '%' | '_' => None,
            '\\' => chars.next(),
            c => Some(c),
        };
        let Some(c) = literal else { break };
        prefix.push(c);
    }
    prefix
}

/// The first text, by its bytes, that comes after all that begin with `prefix`; `None` if there is none.
pub fn after_all_with(prefix: &str) -> Option<String> {
    let mut text = prefix.to_owned();
    while let Some(last) = text.pop() {
        // The order of UTF-8 is that of code points; surrogates are none.
        let next = if last == '\u{d7ff}' { Some('\u{e000}') } else { char::from_u32(u32::from(last) + 1) };
        if let Some(next) = next {
            text.push(next);
            return Some(text);
        }
    }
    None
}

pub(super) fn like_escape(pattern: &str, escape: &str) -> SqlResult<String> {
    let mut chars = escape.chars();
    let escape = chars.next();
    if chars.next().is_some() {
        return Err(SqlError::new(state::INVALID_ESCAPE_SEQUENCE, "invalid escape string")
            .hint("Escape string must be empty or one character."));
    }
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut escaped = false;
    for c in pattern.chars() {
        if Some(c) == escape && !escaped {
            out.push('\\');
            escaped = true;
            continue;
        }
        if c == '\\' && !escaped {
            out.push('\\');
        }
        out.push(c);
        escaped = false;
    }
    Ok(out)
}

/// `unistr`: `\0041`, `\+000041`, `\u0041`, `\U00000041` and `\\`. Errors: 42601.
fn unescaped(s: &str) -> SqlResult<String> {
    let invalid = || SqlError::syntax("invalid Unicode escape");
    let mut out = String::with_capacity(s.len());
    // The first half of a character beyond 16 bits.
    let mut half: Option<u32> = None;
    let mut rest = s;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        let plain = c != '\\' || rest.starts_with('\\');
        if plain {
            if half.is_some() {
                return Err(SqlError::syntax("invalid Unicode surrogate pair"));
            }
            rest = if c == '\\' { &rest[1..] } else { rest };
            out.push(c);
            continue;
        }
        let (skip, digits) = match rest.bytes().next() {
            Some(b'+') => (1, 6),
            Some(b'u') => (1, 4),
            Some(b'U') => (1, 8),
            _ => (0, 4),
        };
        let code = rest.get(skip..skip + digits).filter(|code| code.bytes().all(|b| b.is_ascii_hexdigit()));
        let code = code.and_then(|code| u32::from_str_radix(code, 16).ok()).ok_or_else(invalid)?;
        rest = &rest[skip + digits..];
        let whole = match (half.take(), code) {
            (None, 0xd800..0xdc00) => {
                half = Some(code);
                continue;
            }
            (Some(high), 0xdc00..0xe000) => 0x10000 + ((high & 0x3ff) << 10) + (code & 0x3ff),
            (None, 0xdc00..0xe000) | (Some(_), _) => return Err(SqlError::syntax("invalid Unicode surrogate pair")),
            (None, code) => code,
        };
        match char::from_u32(whole).filter(|c| *c != '\0') {
            Some(c) => out.push(c),
            None => {
                return Err(SqlError::new(
                    state::INVALID_PARAMETER_VALUE,
                    format!("invalid Unicode code point: {whole:04X}"),
                ));
            }
        }
    }
    match half {
        None => Ok(out),
        Some(_) => Err(SqlError::syntax("invalid Unicode surrogate pair")),
    }
}

/// A text in one of Unicode's forms. Errors: 22023 for another form.
fn normalized(s: &str, form: &str) -> SqlResult<String> {
    // A letter of a few bytes may become a word.
    meter::hold(s.len().saturating_mul(if s.is_ascii() { 1 } else { 12 }))?;
    Ok(match form.to_ascii_uppercase().as_str() {
        "NFC" => s.nfc().collect(),
        "NFD" => s.nfd().collect(),
        "NFKC" => s.nfkc().collect(),
        "NFKD" => s.nfkd().collect(),
        _ => {
            let message = format!("invalid normalization form: {form}");
            return Err(SqlError::new(state::INVALID_PARAMETER_VALUE, message));
        }
    })
}

fn map_case(s: &str, ascii: fn(&str) -> String, one: fn(char) -> char) -> String {
    if s.is_ascii() { ascii(s) } else { s.chars().map(one).collect() }
}

fn lower_char(c: char) -> char {
    if c == 'İ' {
        // The only capital whose simple mapping is not its full one.
        return 'i';
    }
    let mut mapped = c.to_lowercase();
    let first = mapped.next().unwrap_or(c);
    if mapped.next().is_some() { c } else { first }
}

fn upper_char(c: char) -> char {
    let mut mapped = c.to_uppercase();
    let first = mapped.next().unwrap_or(c);
    if mapped.next().is_some() { c } else { first }
}

pub(super) fn lower(s: &str) -> String {
    map_case(s, str::to_ascii_lowercase, lower_char)
}

fn upper(s: &str) -> String {
    map_case(s, str::to_ascii_uppercase, upper_char)
}

fn initcap(s: &str) -> String {
    let mut inside = false;
    s.chars()
        .map(|c| {
            let mapped = if inside { lower_char(c) } else { upper_char(c) };
            inside = c.is_alphanumeric();
            mapped
        })
        .collect()
}

/// The byte offset of the `n`th character, or the length if there are fewer.
fn offset(s: &str, n: usize) -> usize {
    if s.is_ascii() { n.min(s.len()) } else { s.char_indices().nth(n).map_or(s.len(), |(i, _)| i) }
}

fn count(s: &str) -> usize {
    if s.is_ascii() { s.len() } else { s.chars().count() }
}

/// The half-open range, from 0, of `length` elements from `start` (from 1): what lies outside counts but is not there.
fn slice_range(start: i64, length: Option<i64>) -> SqlResult<(usize, usize)> {
    let end = match length {
        Some(n) if n < 0 => return Err(SqlError::new(state::SUBSTRING_ERROR, "negative substring length not allowed")),
        Some(n) => start.saturating_add(n),
        None => i64::MAX,
    };
    let at = |v: i64| usize::try_from(v.saturating_sub(1)).unwrap_or(0);
    Ok((at(start), at(end).max(at(start))))
}

fn substr(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let length = if args.len() > 2 { Some(int(args, 2)?) } else { None };
    let (from, to) = slice_range(int(args, 1)?, length)?;
    Ok(match args[0] {
        ValueRef::Blob(b) => Value::Blob(b[from.min(b.len())..to.min(b.len())].to_vec()),
        _ => {
            let tail = text(args, 0)?;
            let tail = &tail[offset(tail, from)..];
            from_text(&tail[..offset(tail, to - from)])
        }
    })
}

pub(super) fn overlay(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, new, start) = (text(args, 0)?, text(args, 1)?, int(args, 2)?);
    let length = if args.len() > 3 { int(args, 3)? } else { count(new) as i64 };
    if start <= 0 {
        return Err(SqlError::new(state::SUBSTRING_ERROR, "negative substring length not allowed"));
    }
    let after = usize::try_from(start.saturating_add(length) - 1).unwrap_or(0);
    let (head, tail) = (offset(s, start as usize - 1), offset(s, after));
    Ok(Value::Text(format!("{}{new}{}", &s[..head], &s[tail..])))
}

/// The first `n` characters and the rest; a negative `n` counts from the end.
fn split_chars(s: &str, n: i64) -> (&str, &str) {
    let n = if n < 0 { (count(s) as i64).saturating_add(n).max(0) } else { n };
    s.split_at(offset(s, usize::try_from(n).unwrap_or(usize::MAX)))
}

fn pad(args: &[ValueRef<'_>], join: fn(String, &str) -> String) -> SqlResult<Value> {
    let (s, fill) = (text(args, 0)?, text(args, 2)?);
    let width = int(args, 1)?.max(0) as usize;
    if width > MAX_BYTES / 4 {
        return Err(too_long());
    }
    // Filled character by character, and joined.
    meter::work(width)?;
    meter::hold(width.saturating_mul(2))?;
    let have = count(s);
    if have >= width || fill.is_empty() {
        return Ok(from_text(&s[..offset(s, width)]));
    }
    Ok(Value::Text(join(fill.chars().cycle().take(width - have).collect(), s)))
}

fn repeat(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, n) = (text(args, 0)?, int(args, 1)?.max(0) as usize);
    match s.len().checked_mul(n) {
        Some(size) if size <= MAX_BYTES => {
            meter::work(size / BLOCK)?;
            meter::hold(size)?;
            Ok(Value::Text(s.repeat(n)))
        }
        _ => Err(too_long()),
    }
}

/// The place of the first occurrence, from 1, in characters or bytes; 0 if there is none.
fn strpos(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let found = match (args[0], args[1]) {
        (ValueRef::Blob(b), ValueRef::Blob(wanted)) => {
            // Of bytes that are no text there is no fast search at hand.
            let places = (b.len() + 1).saturating_sub(wanted.len());
            let mut found = None;
            for at in 0..places {
                if at % 4096 == 0 {
                    meter::work(4096 * (1 + wanted.len() / BLOCK))?;
                }
                if b[at..].starts_with(wanted) {
                    found = Some(at);
                    break;
                }
            }
            found
        }
        _ => {
            let s = text(args, 0)?;
            s.find(text(args, 1)?).map(|at| count(&s[..at]))
        }
    };
    Ok(Value::Int(found.map_or(0, |at| at as i64 + 1)))
}

/// Bytes that are compared in a unit of work.
const BLOCK: usize = 16;

fn replace(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, from, to) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    if from.is_empty() {
        return Ok(from_text(s));
    }
    let mut out = String::new();
    let mut rest = s;
    while let Some((before, after)) = rest.split_once(from) {
        meter::work(4 + (before.len() + to.len()) / BLOCK)?;
        grow(&mut out, before.len() + to.len())?;
        out.extend([before, to]);
        rest = after;
    }
    grow(&mut out, rest.len())?;
    out.push_str(rest);
    Ok(Value::Text(out))
}

/// Room for so many bytes more.
fn grow(out: &mut String, bytes: usize) -> SqlResult<()> {
    if out.len() + bytes > MAX_BYTES {
        return Err(too_long());
    }
    if out.len() + bytes > out.capacity() {
        let room = (2 * out.capacity()).max(out.len() + bytes);
        meter::hold(room)?;
        out.reserve_exact(room - out.len());
    }
    Ok(())
}

/// (text, characters, where): without these characters at its beginning (1), end (2) or both (3).
pub(super) fn trim(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, characters, places) = (text(args, 0)?, text(args, 1)?, int(args, 2)?);
    let set: std::collections::BTreeSet<char> = characters.chars().collect();
    let s = if places & 1 != 0 { s.trim_start_matches(|c| set.contains(&c)) } else { s };
    let s = if places & 2 != 0 { s.trim_end_matches(|c| set.contains(&c)) } else { s };
    Ok(from_text(s))
}

fn split_part(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, separator, n) = (text(args, 0)?, text(args, 1)?, int(args, 2)?);
    if n == 0 {
        return Err(invalid("field position must not be zero"));
    }
    if separator.is_empty() || s.is_empty() {
        return Ok(from_text(if n == 1 || n == -1 { s } else { "" }));
    }
    let skip = (n.unsigned_abs() - 1) as usize;
    if n > 0 {
        return Ok(from_text(s.split(separator).nth(skip).unwrap_or("")));
    }
    // Separators are found from the left, also when fields are counted from the right.
    let fields = s.split(separator).count();
    Ok(from_text(fields.checked_sub(skip + 1).and_then(|at| s.split(separator).nth(at)).unwrap_or("")))
}

fn translate(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, from, to) = (text(args, 0)?, text(args, 1)?, text(args, 2)?);
    // The first of equal characters counts.
    let mut map = std::collections::HashMap::new();
    let mut to = to.chars();
    for c in from.chars() {
        let target = to.next();
        map.entry(c).or_insert(target);
    }
    meter::work(s.len())?;
    let mapped = s.chars().filter_map(|c| map.get(&c).copied().unwrap_or(Some(c)));
    Ok(Value::Text(mapped.collect()))
}

fn chr(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    match int(args, 0)? {
        0 => Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "null character not permitted")),
        v if v < 0 => Err(SqlError::new(state::PROGRAM_LIMIT_EXCEEDED, "character number must be positive")),
        v => match u32::try_from(v).ok().and_then(char::from_u32) {
            Some(c) => Ok(from_text(c.to_string())),
            None => Err(SqlError::new(
                state::PROGRAM_LIMIT_EXCEEDED,
                format!("requested character not valid for encoding: {v}"),
            )),
        },
    }
}

fn concat(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let mut out = String::new();
    for i in (0..args.len()).filter(|i| !args[*i].is_null()) {
        out.push_str(text(args, i)?);
    }
    Ok(Value::Text(out))
}

fn concat_ws(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args.first().is_none_or(|a| a.is_null()) {
        return Ok(Value::Null);
    }
    let separator = text(args, 0)?;
    let parts: Vec<&str> =
        (1..args.len()).filter(|i| !args[*i].is_null()).map(|i| text(args, i)).collect::<SqlResult<_>>()?;
    Ok(Value::Text(parts.join(separator)))
}

/// An identifier, in quotes where it needs them.
pub fn quote_ident(s: &str) -> String {
    let plain = s.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && s.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
        && KEYWORDS.binary_search(&s).is_err();
    if plain { s.to_owned() } else { format!("\"{}\"", s.replace('"', "\"\"")) }
}

/// A string constant; with backslashes in it, in the form whose meaning does not depend on settings.
pub fn quote_literal(s: &str) -> String {
    let quoted = s.replace('\'', "''");
    if s.contains('\\') { format!("E'{}'", quoted.replace('\\', "\\\\")) } else { format!("'{quoted}'") }
}

/// One `%` of a format string.
#[derive(Default)]
struct Spec {
    position: Option<usize>,
    left: bool,
    width: Width,
}

#[derive(Default)]
enum Width {
    #[default]
    None,
    Fixed(i64),
    /// `*`, or `*n$`
    Argument(Option<usize>),
}

pub(super) fn format(args: &[ValueRef<'_>]) -> SqlResult<Value> {
    if args.first().is_none_or(|a| a.is_null()) {
        return Ok(Value::Null);
    }
    let mut out = String::new();
    let mut rest = text(args, 0)?;
    let mut last = 0;
    // Takes the argument of a position, or the one after the last.
    let mut take = |position: Option<usize>| -> SqlResult<ValueRef<'_>> {
        let i = position.unwrap_or(last + 1);
        last = i;
        args.get(i).copied().ok_or_else(|| invalid("too few arguments for format()"))
    };
    while let Some(at) = rest.find('%') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        if let Some(tail) = rest.strip_prefix('%') {
            out.push('%');
            rest = tail;
            continue;
        }
        let (mut spec, tail) = format_spec(rest)?;
        let conversion = tail.chars().next().ok_or_else(unterminated)?;
        if !matches!(conversion, 's' | 'I' | 'L') {
            return Err(invalid(format!("unrecognized format() type specifier \"{conversion}\""))
                .hint("For a single \"%\" use \"%%\"."));
        }
        rest = &tail[1..];
        let width = match spec.width {
            Width::None => 0,
            Width::Fixed(n) => n,
            Width::Argument(position) => match take(position)? {
                ValueRef::Null => 0,
                ValueRef::Text(n) => n.trim().parse::<i32>().map(i64::from).map_err(|_| {
                    SqlError::new(
                        state::INVALID_TEXT_REPRESENTATION,
                        format!("invalid input syntax for type integer: \"{n}\""),
                    )
                })?,
                other => int(&[other], 0)?,
            },
        };
        spec.left |= width < 0;
        let value = match (take(spec.position)?, conversion) {
            (ValueRef::Null, 's') => String::new(),
            (ValueRef::Null, 'L') => "NULL".to_owned(),
            (ValueRef::Null, _) => {
                return Err(SqlError::new(
                    state::NULL_VALUE_NOT_ALLOWED,
                    "null values cannot be formatted as an SQL identifier",
                ));
            }
            (value, 's') => text(&[value], 0)?.to_owned(),
            (value, 'L') => quote_literal(text(&[value], 0)?),
            (value, _) => quote_ident(text(&[value], 0)?),
        };
        let missing = usize::try_from(width.unsigned_abs()).unwrap_or(usize::MAX).saturating_sub(count(&value));
        if missing > MAX_BYTES {
            return Err(too_long());
        }
        meter::work(8 + (missing + value.len()) / BLOCK)?;
        grow(&mut out, missing + value.len())?;
        meter::hold(missing)?;
        let blanks = " ".repeat(missing);
        let (before, after) = if spec.left { ("", blanks.as_str()) } else { (blanks.as_str(), "") };
        out.extend([before, &value, after]);
    }
    out.push_str(rest);
    Ok(Value::Text(out))
}

fn unterminated() -> SqlError {
    invalid("unterminated format() type specifier").hint("For a single \"%\" use \"%%\".")
}

/// `[position$][-][width]`, and what comes after.
fn format_spec(mut s: &str) -> SqlResult<(Spec, &str)> {
    let mut spec = Spec::default();
    if let (Some(n), tail) = number(s)? {
        if let Some(after) = tail.strip_prefix('$') {
            spec.position = Some(position(n)?);
            s = after;
        } else {
            spec.width = Width::Fixed(n as i64);
            return Ok((spec, tail));
        }
    }
    while let Some(tail) = s.strip_prefix('-') {
        spec.left = true;
        s = tail;
    }
    if let Some(tail) = s.strip_prefix('*') {
        let (n, after) = number(tail)?;
        spec.width = Width::Argument(n.map(position).transpose()?);
        s = match n {
            None => after,
            Some(_) => {
                after.strip_prefix('$').ok_or_else(|| invalid("width argument position must be ended by \"$\""))?
            }
        };
    } else if let (Some(n), tail) = number(s)? {
        spec.width = Width::Fixed(n as i64);
        s = tail;
    }
    Ok((spec, s))
}

fn number(s: &str) -> SqlResult<(Option<usize>, &str)> {
    let (digits, tail) = s.split_at(s.bytes().take_while(u8::is_ascii_digit).count());
    if digits.is_empty() {
        return Ok((None, tail));
    }
    let n = digits.parse::<i32>().map_err(|_| super::arg::out_of_range("number"))?;
    Ok((Some(n as usize), tail))
}

fn position(n: usize) -> SqlResult<usize> {
    match n {
        0 => Err(invalid("format specifies argument 0, but arguments are numbered from 1")),
        n => Ok(n),
    }
}

/// The bytes of a text or bytea argument.
fn bytes<'a>(args: &[ValueRef<'a>], i: usize) -> SqlResult<&'a [u8]> {
    match args[i] {
        ValueRef::Text(s) => Ok(s.as_bytes()),
        _ => blob(args, i),
    }
}

fn sha(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let data = blob(args, 0)?;
    Ok(Value::Blob(match int(args, 1)? {
        224 => sha2::Sha224::digest(data).to_vec(),
        256 => sha2::Sha256::digest(data).to_vec(),
        384 => sha2::Sha384::digest(data).to_vec(),
        _ => sha2::Sha512::digest(data).to_vec(),
    }))
}

fn unknown_encoding(name: &str) -> SqlError {
    invalid(format!("unrecognized encoding: \"{name}\""))
}

fn encode(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (data, format) = (blob(args, 0)?, text(args, 1)?);
    Ok(Value::Text(match format.to_ascii_lowercase().as_str() {
        "hex" => hex::encode(data),
        // In lines of 76 characters.
        "base64" => {
            let whole = base64::engine::general_purpose::STANDARD.encode(data);
            let lines: Vec<&str> =
                whole.as_bytes().chunks(76).filter_map(|line| std::str::from_utf8(line).ok()).collect();
            lines.join("\n")
        }
        "escape" => {
            let mut out = String::with_capacity(data.len());
            for b in data {
                match b {
                    0 | 0x80.. => out.push_str(&format!("\\{b:03o}")),
                    b'\\' => out.push_str("\\\\"),
                    b => out.push(char::from(*b)),
                }
            }
            out
        }
        _ => return Err(unknown_encoding(format)),
    }))
}

fn decode(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let (s, format) = (text(args, 0)?, text(args, 1)?);
    let stripped = || s.chars().filter(|c| !matches!(c, ' ' | '\n' | '\t' | '\r')).collect::<String>();
    Ok(Value::Blob(match format.to_ascii_lowercase().as_str() {
        "hex" => hex::decode(stripped()).map_err(|e| match e {
            hex::FromHexError::InvalidHexCharacter { c, .. } => invalid(format!("invalid hexadecimal digit: \"{c}\"")),
            _ => invalid("invalid hexadecimal data: odd number of digits"),
        })?,
        "base64" => base64::engine::general_purpose::STANDARD.decode(stripped()).map_err(|_| {
            invalid("invalid base64 end sequence")
                .hint("Input data is missing padding, is truncated, or is otherwise corrupted.")
        })?,
        "escape" => unescape(s.as_bytes())?,
        _ => return Err(unknown_encoding(format)),
    }))
}

/// `\\` and `\ooo` to bytes.
fn unescape(mut s: &[u8]) -> SqlResult<Vec<u8>> {
    let mut out = Vec::with_capacity(s.len());
    loop {
        s = match s {
            [] => return Ok(out),
            [b'\\', b'\\', tail @ ..] => {
                out.push(b'\\');
                tail
            }
            [b'\\', a @ b'0'..=b'3', b @ b'0'..=b'7', c @ b'0'..=b'7', tail @ ..] => {
                out.push((a - b'0') << 6 | (b - b'0') << 3 | (c - b'0'));
                tail
            }
            [b'\\', ..] => {
                return Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, "invalid input syntax for type bytea"));
            }
            [b, tail @ ..] => {
                out.push(*b);
                tail
            }
        };
    }
}

/// The encoding that a conversion names. Errors: 22023, 0A000.
fn encoding(name: &str) -> SqlResult<Encoding> {
    Encoding::named(name).map_err(|error| match error.code == state::FEATURE_NOT_SUPPORTED {
        true => error,
        false => {
            let message = format!("invalid encoding name \"{name}\"");
            SqlError::new(state::INVALID_PARAMETER_VALUE, message)
        }
    })
}

fn convert_from(_: &mut Context, args: &[ValueRef<'_>]) -> SqlResult<Value> {
    let encoding = encoding(text(args, 1)?)?;
    let found = encoding.decode(blob(args, 0)?)?;
    match found.contains('\0') {
        false => Ok(from_text(found)),
        true => {
            let message = format!("invalid byte sequence for encoding \"{}\": 0x00", encoding.name());
            Err(SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message))
        }
    }
}

fn byte_index(bytes: &[u8], i: i64) -> SqlResult<usize> {
    usize::try_from(i).ok().filter(|i| *i < bytes.len()).ok_or_else(|| {
        SqlError::new(
            state::ARRAY_SUBSCRIPT_ERROR,
            format!("index {i} out of valid range, 0..{}", bytes.len() as i64 - 1),
        )
    })
}

fn bit_index(bytes: &[u8], i: i64) -> SqlResult<usize> {
    usize::try_from(i).ok().filter(|i| *i < bytes.len() * 8).ok_or_else(|| {
        let last = bytes.len() as i64 * 8 - 1;
        SqlError::new(state::ARRAY_SUBSCRIPT_ERROR, format!("index {i} out of valid range, 0..{last}"))
    })
}

/// A char(n) as it is stored.
fn trimmed<'a>(args: &[ValueRef<'a>]) -> SqlResult<&'a str> {
    Ok(text(args, 0)?.trim_end_matches(' '))
}

/// A text within the length that a type modifier allows (its value is the length + 4): cut if told so, otherwise 22001
/// unless only blanks are lost.
fn fit<'a>(s: &'a str, typmod: i64, ty: &str, cut: bool) -> SqlResult<&'a str> {
    let limit = usize::try_from(typmod - 4).unwrap_or(usize::MAX);
    if s.len() <= limit {
        return Ok(s);
    }
    let (head, tail) = s.split_at(offset(s, limit));
    if cut || tail.bytes().all(|b| b == b' ') {
        return Ok(head);
    }
    Err(SqlError::new(state::STRING_DATA_RIGHT_TRUNCATION, format!("value too long for type {ty}({limit})")))
}

/// At most `limit` bytes, without breaking a character.
fn cut_bytes(s: &str, limit: usize) -> &str {
    let mut end = s.len().min(limit);
    while !s.is_char_boundary(end) {
        end -= 1;
    }
    &s[..end]
}
