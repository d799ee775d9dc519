//! What EXPLAIN tells, as JSON, YAML or XML, laid out as PostgreSQL does it.

use crate::sql::explain::Format;
use std::fmt::Write as _;

/// A value, or several.
pub(super) enum Shown {
    Text(String),
    /// A number or a truth, as it is.
    Plain(String),
    /// What XML calls each of them.
    List(&'static str, Vec<Shown>),
    Group(Vec<(&'static str, Shown)>),
}

/// The whole answer.
pub(super) fn write(format: Format, query: &Shown) -> String {
    let mut out = String::new();
    match format {
        Format::Json => {
            out.push_str("[\n  ");
            json(&mut out, query, 2);
            out.push_str("\n]");
        }
        Format::Yaml => {
            out.push_str("- ");
            yaml(&mut out, query, 2);
        }
        Format::Xml => {
            out.push_str("<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n");
            xml(&mut out, "Query", query, 2);
            out.push_str("\n</explain>");
        }
        Format::Text => {}
    }
    out
}

/// A string of JSON, and of YAML.
fn quoted(text: &str) -> String {
    serde_json::Value::String(text.to_owned()).to_string()
}

fn is_flat(items: &[Shown]) -> bool {
    items.iter().all(|item| matches!(item, Shown::Text(_) | Shown::Plain(_)))
}

fn json(out: &mut String, shown: &Shown, indent: usize) {
    let gap = " ".repeat(indent);
    match shown {
        Shown::Text(text) => out.push_str(&quoted(text)),
        Shown::Plain(text) => out.push_str(text),
        Shown::List(_, items) if is_flat(items) && !items.is_empty() => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                out.push_str(if i > 0 { ", " } else { "" });
                json(out, item, indent);
            }
            out.push(']');
        }
        Shown::List(_, items) => {
            out.push('[');
            for (i, item) in items.iter().enumerate() {
                let _ = write!(out, "{}\n{gap}  ", if i > 0 { "," } else { "" });
                json(out, item, indent + 2);
            }
            let _ = write!(out, "\n{gap}]");
        }
        Shown::Group(fields) => {
            out.push('{');
            for (i, (name, value)) in fields.iter().enumerate() {
                let _ = write!(out, "{}\n{gap}  {}: ", if i > 0 { "," } else { "" }, quoted(name));
                json(out, value, indent + 2);
            }
            let _ = write!(out, "\n{gap}}}");
        }
    }
}

/// `indent`: where the next line of it begins.
fn yaml(out: &mut String, shown: &Shown, indent: usize) {
    let gap = " ".repeat(indent);
    match shown {
        Shown::Text(text) => out.push_str(&quoted(text)),
        Shown::Plain(text) => out.push_str(text),
        Shown::List(_, items) => {
            for item in items {
                let _ = write!(out, "\n{gap}- ");
                yaml(out, item, indent + 2);
            }
        }
        Shown::Group(fields) => {
            for (i, (name, value)) in fields.iter().enumerate() {
                if i > 0 {
                    let _ = write!(out, "\n{gap}");
                }
                let _ = write!(out, "{name}: ");
                if matches!(value, Shown::Group(_)) {
                    let _ = write!(out, "\n{gap}  ");
                }
                yaml(out, value, indent + 2);
            }
        }
    }
}

fn xml(out: &mut String, name: &str, shown: &Shown, indent: usize) {
    let (tag, gap) = (name.replace(' ', "-"), " ".repeat(indent));
    let _ = write!(out, "{gap}<{tag}>");
    match shown {
        Shown::Text(text) => {
            let text = text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
            out.push_str(&text);
        }
        Shown::Plain(text) => out.push_str(text),
        Shown::List(item, items) => {
            for value in items {
                out.push('\n');
                xml(out, item, value, indent + 2);
            }
            let _ = write!(out, "\n{gap}");
        }
        Shown::Group(fields) => {
            for (name, value) in fields {
                out.push('\n');
                xml(out, name, value, indent + 2);
            }
            let _ = write!(out, "\n{gap}");
        }
    }
    let _ = write!(out, "</{tag}>");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let plan = |kind: &str, more: Vec<(&'static str, Shown)>| {
            let kind = ("Node Type", Shown::Text(kind.into()));
            Shown::Group(std::iter::once(kind).chain(more).collect())
        };
        let output = Shown::List("Item", vec![Shown::Text("a".into()), Shown::Text("b < \"c\"".into())]);
        let below = Shown::List("Plan", vec![plan("Scan", vec![("Rows", Shown::Plain("1".into()))])]);
        let top = plan("Result", vec![("Output", output), ("Plans", below)]);
        let query = Shown::Group(vec![("Plan", top), ("Triggers", Shown::List("Trigger", vec![]))]);
        assert_eq!(
            write(Format::Json, &query),
            "[\n  {\n    \"Plan\": {\n      \"Node Type\": \"Result\",\n      \"Output\": [\"a\", \"b < \\\"c\\\"\"],\n      \
             \"Plans\": [\n        {\n          \"Node Type\": \"Scan\",\n          \"Rows\": 1\n        }\n      ]\n    },\n    \
             \"Triggers\": [\n    ]\n  }\n]"
        );
        assert_eq!(
            write(Format::Yaml, &query),
            "- Plan: \n    Node Type: \"Result\"\n    Output: \n      - \"a\"\n      - \"b < \\\"c\\\"\"\n    Plans: \n      \
             - Node Type: \"Scan\"\n        Rows: 1\n  Triggers: "
        );
        assert_eq!(
            write(Format::Xml, &query),
            "<explain xmlns=\"http://www.postgresql.org/2009/explain\">\n  <Query>\n    <Plan>\n      \
             <Node-Type>Result</Node-Type>\n      <Output>\n        <Item>a</Item>\n        \
             <Item>b &lt; &quot;c&quot;</Item>\n      </Output>\n      <Plans>\n        <Plan>\n          \
             <Node-Type>Scan</Node-Type>\n          <Rows>1</Rows>\n        </Plan>\n      </Plans>\n    </Plan>\n    \
             <Triggers>\n    </Triggers>\n  </Query>\n</explain>"
        );
    }
}
