//! `money`: cents, in the form that the locale C has: `-$1,234.56`.

use super::Type;
use crate::error::{SqlError, SqlResult, state};
use std::fmt::Write as _;

/// Decimals of an amount.
pub const DECIMALS: u32 = 2;

fn is_blank(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\x0b'
}

/// The input function. Errors: 22P02, 22003.
pub fn parse(text: &str) -> SqlResult<i64> {
    let out_of_range = || {
        let name = Type::MONEY.info().map_or("money", |info| info.sql_name);
        SqlError::new(state::NUMERIC_VALUE_OUT_OF_RANGE, format!("value \"{text}\" is out of range for type {name}"))
    };
    let symbol = |rest: &str| -> usize {
        let blank = rest.len() - rest.trim_start_matches(is_blank).len();
        let behind = &rest[blank..];
        let dollar = usize::from(behind.starts_with('$'));
        let behind = &behind[dollar..];
        blank + dollar + behind.len() - behind.trim_start_matches(is_blank).len()
    };
    let mut rest = &text[symbol(text)..];
    let mut negative = rest.starts_with(['-', '(']);
    rest = rest.strip_prefix(['-', '(', '+']).unwrap_or(rest);
    rest = &rest[symbol(rest)..];
    // Below zero there is one more than above.
    let (mut value, mut decimals) = (0i64, None);
    let mut end = rest.len();
    for (at, c) in rest.char_indices() {
        match (c, decimals) {
            ('0'..='9', None | Some(0..DECIMALS)) => {
                let digit = i64::from(c as u8 - b'0');
                value = value.checked_mul(10).and_then(|v| v.checked_sub(digit)).ok_or_else(out_of_range)?;
                decimals = decimals.map(|n| n + 1);
            }
            ('.', None) => decimals = Some(0),
            (',', _) => {}
            _ => {
                end = at;
                break;
            }
        }
    }
    rest = &rest[end..];
    if rest.starts_with(['5', '6', '7', '8', '9']) {
        value = value.checked_sub(1).ok_or_else(out_of_range)?;
    }
    let missing = DECIMALS - decimals.unwrap_or(0);
    value = value.checked_mul(10i64.pow(missing)).ok_or_else(out_of_range)?;
    for c in rest.trim_start_matches(|c: char| c.is_ascii_digit()).chars() {
        match c {
            ')' | '+' | '$' => {}
            '-' => negative = true,
            c if is_blank(c) => {}
            _ => {
                let message = format!("invalid input syntax for type money: \"{text}\"");
                return Err(SqlError::new(state::INVALID_TEXT_REPRESENTATION, message));
            }
        }
    }
    if negative { Ok(value) } else { value.checked_neg().ok_or_else(out_of_range) }
}

/// The output function.
pub fn write(cents: i64, out: &mut Vec<u8>) {
    let whole = (cents.unsigned_abs() / 100).to_string();
    let mut shown = String::from(if cents < 0 { "-$" } else { "$" });
    for (at, digit) in whole.char_indices() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            shown.push(',');
        }
        shown.push(digit);
    }
    let _ = write!(shown, ".{:02}", cents.unsigned_abs() % 100);
    out.extend_from_slice(shown.as_bytes());
}

/// A number below 1000 in words.
fn number(n: u64) -> String {
    const SMALL: [&str; 20] = [
        "zero",
        "one",
        "two",
        "three",
        "four",
        "five",
        "six",
        "seven",
        "eight",
        "nine",
        "ten",
        "eleven",
        "twelve",
        "thirteen",
        "fourteen",
        "fifteen",
        "sixteen",
        "seventeen",
        "eighteen",
        "nineteen",
    ];
    const TENS: [&str; 10] = ["", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"];
    let (hundreds, rest) = (n / 100, n % 100);
    let below = match (rest / 10, rest % 10) {
        (0 | 1, _) => SMALL[rest as usize].to_owned(),
        (tens, 0) => TENS[tens as usize].to_owned(),
        (tens, ones) => format!("{} {}", TENS[tens as usize], SMALL[ones as usize]),
    };
    match (hundreds, rest) {
        (0, _) => below,
        (_, 0) => format!("{} hundred", SMALL[hundreds as usize]),
        (_, 1..20) => format!("{} hundred and {below}", SMALL[hundreds as usize]),
        _ => format!("{} hundred {below}", SMALL[hundreds as usize]),
    }
}

/// `cash_words`
pub fn words(cents: i64) -> String {
    let all = cents.unsigned_abs();
    let (dollars, rest) = (all / 100, all % 100);
    let mut out = String::from(if cents < 0 { "minus " } else { "" });
    let scales = [" quadrillion ", " trillion ", " billion ", " million ", " thousand ", ""];
    let before = out.len();
    for (scale, power) in scales.into_iter().zip((0..6).rev()) {
        let part = dollars / 1000u64.pow(power) % 1000;
        if part != 0 {
            out.push_str(&number(part));
            out.push_str(scale);
        }
    }
    if out.len() == before {
        out.push_str("zero");
    }
    out.push_str(if dollars == 1 { " dollar and " } else { " dollars and " });
    out.push_str(&number(rest));
    out.push_str(if rest == 1 { " cent" } else { " cents" });
    out[..1].make_ascii_uppercase();
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_and_written() {
        for (text, cents, shown) in [
            ("123", 12_300, "$123.00"),
            ("$1,234.567", 123_457, "$1,234.57"),
            (" ( $ 1 ) ", -100, "-$1.00"),
            ("-92233720368547758.08", i64::MIN, "-$92,233,720,368,547,758.08"),
            ("1.2-", -120, "-$1.20"),
            ("", 0, "$0.00"),
        ] {
            let read = parse(text).unwrap();
            let mut out = Vec::new();
            write(read, &mut out);
            assert_eq!((read, String::from_utf8(out).unwrap().as_str()), (cents, shown), "{text}");
        }
        for wrong in ["x", "1 2", "92233720368547758.08", "1é"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
        assert_eq!(words(-101), "Minus one dollar and one cent");
        assert_eq!(
            words(123_456_711),
            "One million two hundred thirty four thousand five hundred sixty seven dollars and eleven cents"
        );
    }
}
