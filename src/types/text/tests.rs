//! The forms of character types.

use super::*;

#[test]
fn lengths() {
    let n = super::super::typmod_in(Type::VARCHAR, &[3]).unwrap();
    assert_eq!(varchar("abc", n, false).unwrap(), "abc");
    assert_eq!(varchar("abc  ", n, false).unwrap(), "abc");
    assert_eq!(varchar("äöüx", n, true).unwrap(), "äöü");
    let error = varchar("abcd", n, false).unwrap_err();
    assert_eq!((error.code.as_str(), &*error.message), ("22001", "value too long for type character varying(3)"));
    assert_eq!(bpchar("ab ", n, false).unwrap(), "ab");
    let mut out = Vec::new();
    write_text(Type::BPCHAR, n, ValueRef::Text("ab"), &Env::default(), &mut out).unwrap();
    assert_eq!(out, b"ab ");
}

/// Every power of ten and its neighbours reads back, and no output is longer than 17 digits.
#[test]
fn floats_read_back() {
    for exponent in -307..=307 {
        let x: f64 = format!("1e{exponent}").parse().unwrap();
        for x in [x, f64::from_bits(x.to_bits() + 1), f64::from_bits(x.to_bits() - 1), x * 1.5] {
            let mut out = Vec::new();
            push_f64(x, 1, &mut out);
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.parse::<f64>().unwrap(), x, "{text}");
        }
    }
}
