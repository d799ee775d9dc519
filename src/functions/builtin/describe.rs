//! A built-in function's arguments and result as text (PostgreSQL documentation, "System Catalog Information Functions").

use super::rows::function;
use crate::functions::text::quote_ident;
use crate::types::{Type, array::Array, format_type};
use crate::value::Value;

/// `arguments` with their defaults, `identity` without, or the `result` of the function with this OID; `None` if there is
/// none.
pub fn describe(oid: i64, part: &str) -> Option<String> {
    let function = function(oid)?;
    let list = |column: &str| match function.get(column) {
        Value::Blob(bytes) => Array::read(bytes).and_then(|array| array.values()).unwrap_or_default(),
        _ => Vec::new(),
    };
    let inputs: Vec<Value> = match function.get("proargtypes") {
        Value::Text(text) => text.split_whitespace().filter_map(|oid| oid.parse().ok()).map(Value::Int).collect(),
        _ => Vec::new(),
    };
    let (all, modes, names) = (list("proallargtypes"), list("proargmodes"), list("proargnames"));
    let types = if all.is_empty() { inputs } else { all };
    let mode = |i: usize| modes.get(i).map_or("i", |m| as_text(m));
    let name = |i: usize| names.get(i).map_or("", |n| as_text(n));
    if part == "result" {
        let columns: Vec<String> = (0..types.len())
            .filter(|i| mode(*i) == "t")
            .map(|i| format!("{} {}", quote_ident(name(i)), type_name(&types[i])))
            .collect();
        if !columns.is_empty() {
            return Some(format!("TABLE({})", columns.join(", ")));
        }
        let set = if function.get("proretset") == &Value::Int(1) { "SETOF " } else { "" };
        return Some(format!("{set}{}", type_name(function.get("prorettype"))));
    }
    let defaults: Vec<&str> = match function.get("proargdefaults") {
        Value::Text(text) if part == "arguments" => split_list(text),
        _ => Vec::new(),
    };
    let given: Vec<usize> = (0..types.len()).filter(|i| matches!(mode(*i), "i" | "b" | "v")).collect();
    let first_default = given.len() - defaults.len().min(given.len());
    let shown = (0..types.len()).filter(|i| mode(*i) != "t" && !(part == "identity" && mode(*i) == "o"));
    let arguments = shown.map(|i| {
        let mut words = Vec::new();
        match mode(i) {
            "o" => words.push("OUT".to_owned()),
            "b" => words.push("INOUT".to_owned()),
            "v" => words.push("VARIADIC".to_owned()),
            _ => {}
        }
        if !name(i).is_empty() {
            words.push(quote_ident(name(i)));
        }
        words.push(type_name(&types[i]));
        let place = given.iter().position(|g| *g == i).and_then(|place| place.checked_sub(first_default));
        if let Some(default) = place.and_then(|place| defaults.get(place)) {
            words.push(format!("DEFAULT {default}"));
        }
        words.join(" ")
    });
    Some(arguments.collect::<Vec<_>>().join(", "))
}

fn as_text(value: &Value) -> &str {
    match value {
        Value::Text(text) => text,
        _ => "",
    }
}

fn type_name(oid: &Value) -> String {
    match oid {
        Value::Int(oid) => format_type(Type(*oid as u32), -1),
        _ => String::new(),
    }
}

/// The items of a list of expressions: commas in quotes or brackets do not part them.
fn split_list(text: &str) -> Vec<&str> {
    let (mut depth, mut quoted, mut start, mut items) = (0, false, 0, Vec::new());
    for (i, c) in text.char_indices() {
        match c {
            '\'' => quoted = !quoted,
            '(' | '[' if !quoted => depth += 1,
            ')' | ']' if !quoted => depth -= 1,
            ',' if !quoted && depth == 0 => {
                items.push(text[start..i].trim());
                start = i + 1;
            }
            _ => {}
        }
    }
    items.push(text[start..].trim());
    items
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_described_as_in_postgres() {
        let part = |oid, part| describe(oid, part).unwrap_or_default();
        assert_eq!(part(870, "arguments"), "text");
        assert_eq!(part(870, "result"), "text");
        assert_eq!(
            part(3464, "arguments"),
            "years integer DEFAULT 0, months integer DEFAULT 0, weeks integer DEFAULT 0, days integer DEFAULT 0, \
             hours integer DEFAULT 0, mins integer DEFAULT 0, secs double precision DEFAULT 0.0"
        );
        assert_eq!(part(3539, "arguments"), "formatstr text, VARIADIC \"any\"".replace("formatstr ", ""));
        assert_eq!(part(1068, "result"), "SETOF bigint");
        assert_eq!(split_list("'a, b', f(1, 2), 3"), ["'a, b'", "f(1, 2)", "3"]);
        assert_eq!(describe(1, "result"), None);
    }
}
