//! Character encodings of clients: PostgreSQL's names for them, and their text to and from UTF-8, which is what is stored.
//!
//! One character at a time, as PostgreSQL does it: so an error names exactly the bytes that are wrong (22021) or that have
//! no equivalent on the other side (22P05). The tables are `encoding_rs`'; where those are more generous than PostgreSQL's
//! (control characters at bytes that mean nothing, UHC under the name of EUC_KR) the difference is refused here. All of
//! these encodings hold ASCII as it is. SQL_ASCII is a client's promise to send and take what is stored: UTF-8, checked.
//!
//! Left out (0A000): EUC_TW, EUC_JIS_2004, SHIFT_JIS_2004, JOHAB and MULE_INTERNAL.

use super::{Type, array};
use crate::error::{SqlError, SqlResult, state};
use std::borrow::Cow;
use std::sync::LazyLock;

/// An encoding by PostgreSQL's number (`pg_enc`).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Encoding(u8);

/// Where the characters of an encoding are found.
#[derive(Clone, Copy)]
enum Table {
    /// Bytes as they are stored.
    Stored,
    /// The first 256 characters of Unicode, but for these.
    Latin(&'static [(u8, char)]),
    One(&'static encoding_rs::Encoding),
    Many(&'static encoding_rs::Encoding, Width),
    Unsupported,
}

/// How the first bytes of a character tell its length, and which bytes may follow.
#[derive(Clone, Copy, PartialEq)]
enum Width {
    /// Two bytes, the second from 0xA1.
    Euc,
    /// Three behind 0x8F.
    EucJp,
    /// One from 0xA1 to 0xDF.
    ShiftJis,
    /// Two bytes, the second anything.
    Two,
    /// Four if the second is a digit.
    Gb18030,
}

/// ISO 8859-9: where it differs from Latin-1.
const TURKISH: &[(u8, char)] = &[(0xD0, 'Ğ'), (0xDD, 'İ'), (0xDE, 'Ş'), (0xF0, 'ğ'), (0xFD, 'ı'), (0xFE, 'ş')];

/// Name and table, by PostgreSQL's number.
static ENCODINGS: [(&str, Table); 42] = {
    use Table::{Latin, Many, One, Stored, Unsupported};
    [
        ("SQL_ASCII", Stored),
        ("EUC_JP", Many(encoding_rs::EUC_JP, Width::EucJp)),
        ("EUC_CN", Many(encoding_rs::GBK, Width::Euc)),
        ("EUC_KR", Many(encoding_rs::EUC_KR, Width::Euc)),
        ("EUC_TW", Unsupported),
        ("EUC_JIS_2004", Unsupported),
        ("UTF8", Stored),
        ("MULE_INTERNAL", Unsupported),
        ("LATIN1", Latin(&[])),
        ("LATIN2", One(encoding_rs::ISO_8859_2)),
        ("LATIN3", One(encoding_rs::ISO_8859_3)),
        ("LATIN4", One(encoding_rs::ISO_8859_4)),
        ("LATIN5", Latin(TURKISH)),
        ("LATIN6", One(encoding_rs::ISO_8859_10)),
        ("LATIN7", One(encoding_rs::ISO_8859_13)),
        ("LATIN8", One(encoding_rs::ISO_8859_14)),
        ("LATIN9", One(encoding_rs::ISO_8859_15)),
        ("LATIN10", One(encoding_rs::ISO_8859_16)),
        ("WIN1256", One(encoding_rs::WINDOWS_1256)),
        ("WIN1258", One(encoding_rs::WINDOWS_1258)),
        ("WIN866", One(encoding_rs::IBM866)),
        ("WIN874", One(encoding_rs::WINDOWS_874)),
        ("KOI8R", One(encoding_rs::KOI8_R)),
        ("WIN1251", One(encoding_rs::WINDOWS_1251)),
        ("WIN1252", One(encoding_rs::WINDOWS_1252)),
        ("ISO_8859_5", One(encoding_rs::ISO_8859_5)),
        ("ISO_8859_6", One(encoding_rs::ISO_8859_6)),
        ("ISO_8859_7", One(encoding_rs::ISO_8859_7)),
        ("ISO_8859_8", One(encoding_rs::ISO_8859_8)),
        ("WIN1250", One(encoding_rs::WINDOWS_1250)),
        ("WIN1253", One(encoding_rs::WINDOWS_1253)),
        ("WIN1254", One(encoding_rs::WINDOWS_1254)),
        ("WIN1255", One(encoding_rs::WINDOWS_1255)),
        ("WIN1257", One(encoding_rs::WINDOWS_1257)),
        ("KOI8U", One(encoding_rs::KOI8_U)),
        ("SJIS", Many(encoding_rs::SHIFT_JIS, Width::ShiftJis)),
        ("BIG5", Many(encoding_rs::BIG5, Width::Two)),
        ("GBK", Many(encoding_rs::GBK, Width::Two)),
        ("UHC", Many(encoding_rs::EUC_KR, Width::Two)),
        ("GB18030", Many(encoding_rs::GB18030, Width::Gb18030)),
        ("JOHAB", Unsupported),
        ("SHIFT_JIS_2004", Unsupported),
    ]
};

/// Other names, without their punctuation.
const ALIASES: &[(&str, &str)] = &[
    ("unicode", "UTF8"),
    ("iso88591", "LATIN1"),
    ("iso88592", "LATIN2"),
    ("iso88593", "LATIN3"),
    ("iso88594", "LATIN4"),
    ("iso88599", "LATIN5"),
    ("iso885910", "LATIN6"),
    ("iso885913", "LATIN7"),
    ("iso885914", "LATIN8"),
    ("iso885915", "LATIN9"),
    ("iso885916", "LATIN10"),
    ("abc", "WIN1258"),
    ("tcvn", "WIN1258"),
    ("tcvn5712", "WIN1258"),
    ("vscii", "WIN1258"),
    ("alt", "WIN866"),
    ("koi8", "KOI8R"),
    ("mskanji", "SJIS"),
    ("shiftjis", "SJIS"),
    ("win", "WIN1251"),
    ("win932", "SJIS"),
    ("windows932", "SJIS"),
    ("win936", "GBK"),
    ("windows936", "GBK"),
    ("win949", "UHC"),
    ("windows949", "UHC"),
    ("win950", "BIG5"),
    ("windows950", "BIG5"),
];

/// The upper half of each encoding of one byte to a character.
static UPPER: LazyLock<Vec<Option<[Option<char>; 128]>>> = LazyLock::new(|| {
    let upper = |table: &Table| match table {
        Table::Latin(but) => Some(std::array::from_fn(|i| {
            let byte = i as u8 + 128;
            let special = but.iter().find(|(b, _)| *b == byte);
            Some(special.map_or(char::from(byte), |(_, c)| *c))
        })),
        Table::One(encoding) => Some(std::array::from_fn(|i| one_byte(encoding, i as u8 + 128))),
        _ => None,
    };
    ENCODINGS.iter().map(|(_, table)| upper(table)).collect()
});

/// What a byte means, if PostgreSQL says so too.
fn one_byte(encoding: &'static encoding_rs::Encoding, byte: u8) -> Option<char> {
    // Of KOI8-U the web has a younger edition.
    if encoding == encoding_rs::KOI8_U && matches!(byte, 0xAE | 0xBE) {
        return Some(if byte == 0xAE { '╝' } else { '╬' });
    }
    // And of this one a letter that was added later.
    if encoding == encoding_rs::WINDOWS_1255 && byte == 0xCA {
        return None;
    }
    let bytes = [byte];
    let text = encoding.decode_without_bom_handling_and_without_replacement(&bytes)?;
    let c = text.chars().next()?;
    // The web gives control characters to bytes that mean nothing; only ISO 8859 really has them, at their own places.
    let iso = encoding.name().starts_with("ISO-8859");
    (iso || !matches!(c, '\u{80}'..='\u{9f}')).then_some(c)
}

impl Encoding {
    pub const SQL_ASCII: Encoding = Encoding(0);
    pub const UTF8: Encoding = Encoding(6);

    /// Letters and digits of a name decide. Errors: 22023 for a name that nobody knows, 0A000 for what cannot be converted.
    pub fn named(name: &str) -> SqlResult<Encoding> {
        let number = Encoding::number(name)?;
        let (known, table) = &ENCODINGS[usize::from(number)];
        match table {
            Table::Unsupported => {
                let error = SqlError::unsupported(format!("conversion between {known} and UTF8"));
                Err(error.detail(format!("Conversion between {known} and UTF8 is not supported.")))
            }
            _ => Ok(Encoding(number)),
        }
    }

    /// PostgreSQL's number of a name. Errors: 22023.
    pub fn number(name: &str) -> SqlResult<u8> {
        let plain = |name: &str| -> String {
            name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
        };
        let wanted = plain(name);
        let wanted = match wanted.strip_prefix("windows") {
            Some(page) if page.len() == 4 || page == "866" || page == "874" => format!("win{page}"),
            _ => wanted,
        };
        let alias = ALIASES.iter().find(|(alias, _)| *alias == wanted).map_or(wanted, |(_, name)| plain(name));
        let found = ENCODINGS.iter().position(|(name, _)| plain(name) == alias);
        found.map(|number| number as u8).ok_or_else(|| {
            SqlError::new(state::INVALID_PARAMETER_VALUE, format!("\"{name}\" is not a valid encoding name"))
        })
    }

    /// The name of a number, or an empty one.
    pub fn name_of(number: i64) -> &'static str {
        usize::try_from(number).ok().and_then(|n| ENCODINGS.get(n)).map_or("", |(name, _)| name)
    }

    pub fn name(self) -> &'static str {
        ENCODINGS[usize::from(self.0)].0
    }

    /// The client's bytes are the stored ones.
    pub fn is_stored(self) -> bool {
        matches!(self.table(), Table::Stored)
    }

    fn table(self) -> &'static Table {
        &ENCODINGS[usize::from(self.0)].1
    }

    /// The client's bytes as text. A zero byte is refused by whoever gets the text.
    ///
    /// Errors: 22021, 22P05.
    pub fn decode(self, bytes: &[u8]) -> SqlResult<Cow<'_, str>> {
        if self.is_stored() {
            return match std::str::from_utf8(bytes) {
                Ok(text) => Ok(Cow::Borrowed(text)),
                Err(e) => {
                    let rest = &bytes[e.valid_up_to()..];
                    let length = e.error_len().unwrap_or(rest.len());
                    let shown = utf8_length(rest[0]).min(rest.len()).max(length.min(1));
                    Err(self.malformed(&rest[..shown]))
                }
            };
        }
        if let (true, Ok(text)) = (bytes.is_ascii(), std::str::from_utf8(bytes)) {
            return Ok(Cow::Borrowed(text));
        }
        let mut text = String::with_capacity(bytes.len() * 2);
        let mut rest = bytes;
        while let Some(first) = rest.first() {
            let length = self.length(rest).filter(|n| *n <= rest.len());
            let length = length.ok_or_else(|| self.malformed(rest))?;
            let (character, after) = rest.split_at(length);
            match first.is_ascii() {
                true => text.push(char::from(*first)),
                false => self.character(character, &mut text)?,
            }
            rest = after;
        }
        Ok(Cow::Owned(text))
    }

    /// How many of these bytes are whole characters: what is left is the beginning of another one.
    pub fn whole(self, bytes: &[u8]) -> usize {
        let mut at = 0;
        if self.is_stored() {
            // Only the last character can be incomplete.
            let back = bytes.iter().rev().take(4).position(|b| b & 0xC0 != 0x80);
            let start = back.map_or(bytes.len(), |back| bytes.len() - 1 - back);
            return match bytes.get(start) {
                Some(lead) if start + utf8_length(*lead) > bytes.len() => start,
                _ => bytes.len(),
            };
        }
        while at < bytes.len() {
            match self.length(&bytes[at..]) {
                Some(length) if at + length <= bytes.len() => at += length,
                _ => break,
            }
        }
        at
    }

    /// The length of the first character, if enough of it is there to tell.
    fn length(self, bytes: &[u8]) -> Option<usize> {
        let (first, Table::Many(_, width)) = (*bytes.first()?, self.table()) else { return Some(1) };
        Some(match (first, width) {
            (..0x80, _) | (0xA1..=0xDF, Width::ShiftJis) => 1,
            (0x8F, Width::EucJp) => 3,
            (_, Width::Gb18030) if bytes.get(1)?.is_ascii_digit() => 4,
            _ => 2,
        })
    }

    /// Appends a character that is not ASCII.
    fn character(self, bytes: &[u8], text: &mut String) -> SqlResult<()> {
        if let Some(upper) = &UPPER[usize::from(self.0)] {
            let c = upper[usize::from(bytes[0] - 128)];
            text.push(c.ok_or_else(|| no_equivalent(bytes, self.name(), "UTF8"))?);
            return Ok(());
        }
        let Table::Many(encoding, width) = self.table() else { return Err(self.malformed(bytes)) };
        let followers_fit = match width {
            Width::Euc | Width::EucJp => bytes[1..].iter().all(|b| (0xA1..=0xFE).contains(b)),
            Width::ShiftJis => bytes[1..].iter().all(|b| matches!(b, 0x40..=0x7E | 0x80..=0xFC)),
            Width::Two | Width::Gb18030 => !bytes[1..].contains(&0),
        };
        let leads = match width {
            Width::Euc => (0xA1..=0xFE).contains(&bytes[0]),
            Width::EucJp => matches!(bytes[0], 0x8E | 0x8F | 0xA1..=0xFE),
            Width::ShiftJis => matches!(bytes[0], 0x81..=0x9F | 0xA1..=0xFC),
            Width::Two | Width::Gb18030 => true,
        };
        if !followers_fit || !leads {
            return Err(self.malformed(bytes));
        }
        match encoding.decode_without_bom_handling_and_without_replacement(bytes) {
            Some(found) => text.push_str(&found),
            None => return Err(no_equivalent(bytes, self.name(), "UTF8")),
        }
        Ok(())
    }

    /// Text as the client's bytes. Errors: 22P05.
    pub fn encode(self, text: &str) -> SqlResult<Cow<'_, [u8]>> {
        if self.is_stored() || text.is_ascii() {
            return Ok(Cow::Borrowed(text.as_bytes()));
        }
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            if !self.put(c, &mut out) {
                let mut buffer = [0; 4];
                return Err(no_equivalent(c.encode_utf8(&mut buffer).as_bytes(), "UTF8", self.name()));
            }
        }
        Ok(Cow::Owned(out))
    }

    /// The same with question marks for what the client cannot be told: for what is said about an error.
    pub fn encode_lossy(self, text: &str) -> Cow<'_, [u8]> {
        if self.is_stored() || text.is_ascii() {
            return Cow::Borrowed(text.as_bytes());
        }
        let mut out = Vec::with_capacity(text.len());
        for c in text.chars() {
            if !self.put(c, &mut out) {
                out.push(b'?');
            }
        }
        Cow::Owned(out)
    }

    /// Appends a character, if the encoding has it.
    fn put(self, c: char, out: &mut Vec<u8>) -> bool {
        if c.is_ascii() {
            out.push(c as u8);
            return true;
        }
        if let Some(upper) = &UPPER[usize::from(self.0)] {
            let found = upper.iter().position(|known| *known == Some(c));
            out.extend(found.map(|at| at as u8 + 128));
            return found.is_some();
        }
        let Table::Many(encoding, width) = self.table() else { return false };
        let mut buffer = [0; 4];
        let (bytes, _, failed) = encoding.encode(c.encode_utf8(&mut buffer));
        let euc = matches!(width, Width::Euc) && !bytes.iter().all(|b| *b >= 0xA1);
        if failed || euc || (bytes.len() < 2 && *width != Width::ShiftJis) {
            return false;
        }
        out.extend_from_slice(&bytes);
        true
    }

    /// Brings text that was appended behind `start` into this encoding. On an error nothing has changed.
    pub fn encode_from(self, out: &mut Vec<u8>, start: usize) -> SqlResult<()> {
        if self.is_stored() || out[start..].is_ascii() {
            return Ok(());
        }
        // What is no text was made for a client that knows what to do with it.
        let Ok(text) = std::str::from_utf8(&out[start..]) else { return Ok(()) };
        let encoded = self.encode(text)?.into_owned();
        out.truncate(start);
        out.extend_from_slice(&encoded);
        Ok(())
    }

    /// The same for a binary form, where it is text or an array of texts: as PostgreSQL's send functions do it.
    pub fn encode_binary_from(self, ty: Type, out: &mut Vec<u8>, start: usize) -> SqlResult<()> {
        if self.is_stored() || out[start..].is_ascii() {
            return Ok(());
        }
        match Form::of(ty) {
            Form::Text => self.encode_from(out, start),
            Form::Versioned => self.encode_from(out, start + 1),
            Form::Array(element) => {
                let changed = array::map_elements(&out[start..], &mut |bytes| {
                    let mut bytes = bytes.to_vec();
                    self.encode_binary_from(element, &mut bytes, 0)?;
                    Ok(bytes)
                })?;
                out.truncate(start);
                out.extend_from_slice(&changed);
                Ok(())
            }
            Form::Other => Ok(()),
        }
    }

    /// A binary form that the client sent, with its text as it is stored.
    pub fn decode_binary(self, ty: Type, bytes: &[u8]) -> SqlResult<Cow<'_, [u8]>> {
        if self.is_stored() || bytes.is_ascii() {
            return Ok(Cow::Borrowed(bytes));
        }
        let text = |bytes: &[u8]| self.decode(bytes).map(|text| text.into_owned().into_bytes());
        Ok(Cow::Owned(match Form::of(ty) {
            Form::Text => text(bytes)?,
            Form::Versioned => [&bytes[..1], &text(&bytes[1..])?].concat(),
            Form::Array(element) => {
                array::map_elements(bytes, &mut |bytes| self.decode_binary(element, bytes).map(Cow::into_owned))?
            }
            Form::Other => return Ok(Cow::Borrowed(bytes)),
        }))
    }

    fn malformed(self, bytes: &[u8]) -> SqlError {
        let shown = shown(&bytes[..bytes.len().min(8)]);
        let message = format!("invalid byte sequence for encoding \"{}\": {shown}", self.name());
        SqlError::new(state::CHARACTER_NOT_IN_REPERTOIRE, message)
    }
}

/// What a binary form consists of.
enum Form {
    Text,
    /// Text behind a byte.
    Versioned,
    Array(Type),
    Other,
}

impl Form {
    fn of(ty: Type) -> Form {
        match (ty, ty.info()) {
            (Type::JSONB, _) => Form::Versioned,
            (Type::JSON | Type::XML | Type::UNKNOWN | Type::CSTRING, _) => Form::Text,
            (_, Some(info)) if info.category == 'S' => Form::Text,
            (_, Some(info)) if info.category == 'A' && info.len == -1 => Form::Array(info.elem),
            // A user's type: an enum's labels.
            (_, None) => Form::Text,
            _ => Form::Other,
        }
    }
}

fn utf8_length(lead: u8) -> usize {
    match lead {
        0xC2..=0xDF => 2,
        0xE0..=0xEF => 3,
        0xF0..=0xF4 => 4,
        _ => 1,
    }
}

fn shown(bytes: &[u8]) -> String {
    bytes.iter().map(|b| format!("0x{b:02x}")).collect::<Vec<_>>().join(" ")
}

fn no_equivalent(bytes: &[u8], from: &str, to: &str) -> SqlError {
    let bytes = shown(bytes);
    let message =
        format!("character with byte sequence {bytes} in encoding \"{from}\" has no equivalent in encoding \"{to}\"");
    SqlError::new(state::UNTRANSLATABLE_CHARACTER, message)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn code<T: std::fmt::Debug>(result: SqlResult<T>) -> String {
        let error = result.unwrap_err();
        format!("{} {}", error.code.as_str(), error.message)
    }

    #[test]
    fn names_as_postgres_knows_them() {
        for (given, name) in [
            ("utf-8", "UTF8"),
            ("Unicode", "UTF8"),
            ("latin1", "LATIN1"),
            ("ISO-8859-1", "LATIN1"),
            ("iso_8859_15", "LATIN9"),
            ("windows-1252", "WIN1252"),
            ("win", "WIN1251"),
            ("windows-932", "SJIS"),
            ("Shift_JIS", "SJIS"),
            ("euc-jp", "EUC_JP"),
            ("SQL_ASCII", "SQL_ASCII"),
        ] {
            assert_eq!(Encoding::named(given).unwrap().name(), name, "{given}");
        }
        assert_eq!(Encoding::named("nothing").unwrap_err().code, state::INVALID_PARAMETER_VALUE);
        assert_eq!(Encoding::named("EUC_TW").unwrap_err().code, state::FEATURE_NOT_SUPPORTED);
    }

    #[test]
    fn there_and_back() {
        for (name, text, bytes) in [
            ("LATIN1", "é\u{81}", &b"\xe9\x81"[..]),
            ("LATIN5", "Ğı", b"\xd0\xfd"),
            ("LATIN9", "€", b"\xa4"),
            ("WIN1252", "€é", b"\x80\xe9"),
            ("WIN1251", "Привет", b"\xcf\xf0\xe8\xe2\xe5\xf2"),
            ("KOI8U", "╝╟ї", b"\xae\xb0\xa7"),
            ("EUC_JP", "日本ｱ", b"\xc6\xfc\xcb\xdc\x8e\xb1"),
            ("SJIS", "日ｱ表", b"\x93\xfa\xb1\x95\x5c"),
            ("EUC_KR", "한", b"\xc7\xd1"),
            ("UHC", "갂", b"\x81\x41"),
            ("EUC_CN", "中", b"\xd6\xd0"),
            ("GBK", "丂", b"\x81\x40"),
            ("BIG5", "中", b"\xa4\xa4"),
            ("GB18030", "Ȳ", b"\x81\x30\xa8\x37"),
            ("SQL_ASCII", "é", b"\xc3\xa9"),
        ] {
            let encoding = Encoding::named(name).unwrap();
            assert_eq!(encoding.decode(bytes).unwrap(), text, "{name}");
            assert_eq!(encoding.encode(text).unwrap(), bytes, "{name}");
            // Cut anywhere, the whole characters come first.
            for cut in 0..=bytes.len() {
                let whole = encoding.whole(&bytes[..cut]);
                assert!(text.starts_with(&*encoding.decode(&bytes[..whole]).unwrap()), "{name} cut at {cut}");
                assert!(cut - whole < 4, "{name} cut at {cut}");
            }
            assert_eq!(encoding.whole(bytes), bytes.len(), "{name}");
        }
    }

    #[test]
    fn what_has_no_equivalent() {
        let named = |name| Encoding::named(name).unwrap();
        let sentence = |bytes, from, to| {
            format!(
                "22P05 character with byte sequence {bytes} in encoding \"{from}\" has no equivalent in encoding \"{to}\""
            )
        };
        assert_eq!(code(named("WIN1252").decode(b"a\x81")), sentence("0x81", "WIN1252", "UTF8"));
        assert_eq!(code(named("WIN1253").decode(b"\xd2")), sentence("0xd2", "WIN1253", "UTF8"));
        assert_eq!(code(named("LATIN1").encode("x€")), sentence("0xe2 0x82 0xac", "UTF8", "LATIN1"));
        assert_eq!(code(named("WIN1252").encode("\u{81}")), sentence("0xc2 0x81", "UTF8", "WIN1252"));
        assert_eq!(code(named("EUC_KR").encode("갂")), sentence("0xea 0xb0 0x82", "UTF8", "EUC_KR"));
        let malformed = |name, bytes| format!("22021 invalid byte sequence for encoding \"{name}\": {bytes}");
        assert_eq!(code(named("EUC_KR").decode(b"\x81\x41")), malformed("EUC_KR", "0x81 0x41"));
        assert_eq!(code(named("EUC_JP").decode(b"x\x8f\xa2")), malformed("EUC_JP", "0x8f 0xa2"));
        assert_eq!(code(named("SJIS").decode(b"\x80")), malformed("SJIS", "0x80"));
        assert_eq!(code(named("SQL_ASCII").decode(b"\xe9t")), malformed("SQL_ASCII", "0xe9 0x74"));
        assert_eq!(named("LATIN1").encode_lossy("x€"), &b"x?"[..]);
    }

    #[test]
    fn text_in_binary_forms() {
        let latin1 = Encoding::named("LATIN1").unwrap();
        for (ty, stored, sent) in [
            (Type::TEXT, "é".as_bytes(), &b"\xe9"[..]),
            (Type::JSONB, b"\x01\"\xc3\xa9\"", b"\x01\"\xe9\""),
            (Type::BYTEA, b"\xc3\xa9", b"\xc3\xa9"),
            (
                Type::TEXT_ARRAY,
                b"\0\0\0\x01\0\0\0\x01\0\0\0\x19\0\0\0\x02\0\0\0\x01\xff\xff\xff\xff\0\0\0\x02\xc3\xa9",
                b"\0\0\0\x01\0\0\0\x01\0\0\0\x19\0\0\0\x02\0\0\0\x01\xff\xff\xff\xff\0\0\0\x01\xe9",
            ),
        ] {
            let mut out = [b"before", stored].concat();
            latin1.encode_binary_from(ty, &mut out, 6).unwrap();
            assert_eq!(out, [b"before", sent].concat());
            assert_eq!(latin1.decode_binary(ty, sent).unwrap(), stored);
        }
    }
}
