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
