//! CREATE SCHEMA with what is in it from the start: elements that its owner defines, with the schema in front of the search path.

use super::grammar::{self, Ddl};
use super::roles::{self, RoleSpec};
use super::work::Work;
use super::{finished, table};
use crate::error::{SqlError, SqlResult, SqlState};
use crate::sql::Scope;
use crate::sql::cursor::{Cursor, Name};
use crate::sql::lex;
use crate::sql::parse::Ast;
use crate::sql::plan::Plan;

const OTHER_SCHEMA: SqlState = SqlState::new("42P15");

/// The elements of a CREATE SCHEMA, up to its end.
pub fn elements(c: &mut Cursor<'_>) -> SqlResult<Vec<Ddl>> {
    let mut all = Vec::new();
    while let Some(token) = c.peek() {
        let begins = |c: &Cursor<'_>| c.is("GRANT") || c.is("CREATE");
        if !begins(c) {
            return Err(c.error());
        }
        // GRANT CREATE ON … is one.
        let grants = c.is("GRANT");
        let head = if grants { c.take_until(|c| c.is("ON"))? } else { "" };
        let rest = c.take_until(begins)?;
        // Blanks before it keep its positions.
        let blanks = lex::char_position(c.source, token.start) as usize - 1;
        let source = format!("{}{head} {rest}", " ".repeat(blanks.saturating_sub(usize::from(!grants))));
        let mut element = Cursor::new(&source, c.allowance)?;
        match grammar::statement(&mut element)? {
            Some(Ast::Ddl(ddl)) if is_element(&ddl) => all.push(*ddl),
            Some(Ast::Unsupported(what)) => return Err(SqlError::unsupported(what)),
            _ => {
                let word = if grants { "GRANT" } else { "CREATE" };
                let message = format!("syntax error at or near \"{word}\"");
                return Err(SqlError::syntax(message).position(blanks as u32 + 1));
            }
        }
    }
    Ok(all)
}

fn is_element(ddl: &Ddl) -> bool {
    match ddl {
        Ddl::CreateTable(table) => table.query.is_none(),
        _ => matches!(ddl, Ddl::CreateIndex(_) | Ddl::CreateSequence { .. } | Ddl::CreateView { .. } | Ddl::Grant(_)),
    }
}

/// Sequences come first, then tables, views, indexes and grants, in whatever order they are written.
fn rank(ddl: &Ddl) -> u32 {
    match ddl {
        Ddl::CreateSequence { .. } => 0,
        Ddl::CreateTable(_) => 1,
        Ddl::CreateView { .. } => 2,
        Ddl::CreateIndex(_) => 3,
        _ => 4,
    }
}

/// What an element defines, or defines it on.
fn name_of(ddl: &mut Ddl) -> Option<&mut Name> {
    match ddl {
        Ddl::CreateSequence { name, .. } | Ddl::CreateView { name, .. } => Some(name),
        Ddl::CreateTable(table) => Some(&mut table.name),
        Ddl::CreateIndex(index) => Some(&mut index.table),
        _ => None,
    }
}

/// Errors: 42P15 for an element in another schema.
pub fn compile(
    create: &Ddl,
    name: Option<&str>,
    owner: Option<&RoleSpec>,
    elements: &[Ddl],
    scope: &Scope<'_>,
) -> SqlResult<Plan> {
    let role = match owner {
        Some(spec) => roles::known(&Work::new(scope), spec)?.name,
        None => scope.user.to_owned(),
    };
    let name = name.unwrap_or(&role);
    let mut elements = elements.to_vec();
    for of in elements.iter_mut().filter_map(name_of) {
        match &of.schema {
            Some(other) if other != name => {
                let message =
                    format!("CREATE specifies a schema ({other}) different from the one being created ({name})");
                return Err(SqlError::new(OTHER_SCHEMA, message));
            }
            _ => of.schema = Some(name.to_owned()),
        }
    }
    elements.sort_by_key(rank);
    let mut path = scope.search_path.to_vec();
    path.insert(usize::from(scope.temporary.leads), name.to_owned());
    let within = Scope { search_path: &path, user: &role, ..scope.clone() };
    finished(&within, |work| {
        work.scope = scope;
        let tag = table::run(work, create)?;
        work.scope = &within;
        for element in &elements {
            table::run(work, element)?;
        }
        Ok(tag)
    })
}
