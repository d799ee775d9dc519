//! What objects rest on, as rows of `pg_depend`: whoever dumps or drops them goes by it.

use super::rows::{Rows, literal, put, referenced_index};
use crate::sql::bind::{Address, class};
use crate::sql::catalog::{Catalog, Column, Constraint, ConstraintKind, Domain, Index, Relation};
use crate::types::{Own, Type};
use std::collections::BTreeSet;

const NORMAL: &str = "n";
/// Goes with the other one.
const AUTO: &str = "a";
/// Is a part of the other one.
const INTERNAL: &str = "i";

/// The OID by which the row of a default is known, which SQLite has chosen.
fn default_oid(relation: u32, attnum: i16) -> String {
    format!("(SELECT oid FROM \"pg_catalog.pg_attrdef\" WHERE adrelid = {relation} AND adnum = {attnum})")
}

fn rests(rows: &mut Rows, (class, oid, part): (u32, String, i16), on: Address, kind: &str) {
    let key = vec![
        ("classid", class.to_string()),
        ("objid", oid),
        ("objsubid", part.to_string()),
        ("refclassid", on.0.to_string()),
        ("refobjid", on.1.to_string()),
        ("refobjsubid", on.2.to_string()),
        // An object may rest on another one in two ways.
        ("deptype", literal(kind)),
    ];
    put(rows, "pg_depend", key, Vec::new());
}

fn depends(rows: &mut Rows, (class, oid, part): Address, on: Address, kind: &str) {
    rests(rows, (class, oid.to_string(), part), on, kind);
}

/// An object is in a schema.
pub fn in_schema(rows: &mut Rows, catalog: &Catalog, class: u32, oid: u32, schema: &str) {
    let namespace = catalog.schemas.get(schema).copied().unwrap_or_default();
    depends(rows, (class, oid, 0), (class::SCHEMA, namespace, 0), NORMAL);
}

/// The array over a type is a part of it, and a relation's row type a part of the relation.
pub fn types(rows: &mut Rows, catalog: &Catalog, ty: Type, schema: &str) {
    match ty.own() {
        Some((Own::Row, _)) => {
            let relation = (ty.0 - Own::Row.numbered(0).0) / 2;
            depends(rows, (class::TYPE, ty.0, 0), (class::RELATION, relation, 0), INTERNAL);
        }
        _ => in_schema(rows, catalog, class::TYPE, ty.0, schema),
    }
    if let Some(array) = ty.array() {
        depends(rows, (class::TYPE, array.0, 0), (class::TYPE, ty.0, 0), INTERNAL);
    }
}

/// A domain rests on a domain or an enum below it, and on what its default needs.
pub fn domain(rows: &mut Rows, oid: u32, domain: &Domain, needs: &BTreeSet<Address>) {
    let own = (class::TYPE, oid, 0);
    if domain.base.own().is_some() {
        depends(rows, own, (class::TYPE, domain.base.0, 0), NORMAL);
    }
    for object in needs {
        depends(rows, own, *object, NORMAL);
    }
}

/// A condition goes with its domain, and rests on what it needs.
pub fn condition(rows: &mut Rows, oid: u32, domain: u32, needs: &BTreeSet<Address>) {
    let own = (class::CONSTRAINT, oid, 0);
    depends(rows, own, (class::TYPE, domain, 0), AUTO);
    for object in needs.iter().filter(|object| object.1 != domain) {
        depends(rows, own, *object, NORMAL);
    }
}

/// A column's type, and the sequence that the column owns.
pub fn column(rows: &mut Rows, relation: u32, column: &Column) {
    let (ty, _) = column.declared();
    if ty.own().is_some() {
        depends(rows, (class::RELATION, relation, column.attnum), (class::TYPE, ty.0, 0), NORMAL);
    }
    if let Some(sequence) = column.sequence {
        let kind = if column.identity.is_some() { INTERNAL } else { AUTO };
        depends(rows, (class::RELATION, sequence, 0), (class::RELATION, relation, column.attnum), kind);
    }
}

/// A default goes with its column; that of a generated column is a part of it.
pub fn default(rows: &mut Rows, relation: u32, column: &Column, needs: &BTreeSet<Address>) {
    let own = || (class::DEFAULT, default_oid(relation, column.attnum), 0);
    let kind = if column.generated.is_some() { INTERNAL } else { AUTO };
    rests(rows, own(), (class::RELATION, relation, column.attnum), kind);
    for object in needs {
        rests(rows, own(), *object, NORMAL);
    }
}

/// A constraint goes with its columns; a foreign key rests on the columns and the index that it refers to, a condition on
/// what is in it.
pub fn constraint(rows: &mut Rows, catalog: &Catalog, r: &Relation, c: &Constraint, needs: &BTreeSet<Address>) {
    let own = (class::CONSTRAINT, c.oid, 0);
    for column in &c.columns {
        depends(rows, own, (class::RELATION, r.oid, *column), AUTO);
    }
    if let ConstraintKind::ForeignKey { table, columns, .. } = &c.kind {
        for column in columns {
            depends(rows, own, (class::RELATION, *table, *column), NORMAL);
        }
        depends(rows, own, (class::RELATION, referenced_index(catalog, *table, columns), 0), NORMAL);
    }
    for object in needs {
        depends(rows, own, *object, NORMAL);
    }
}

/// The index of a constraint is a part of it; others go with their columns.
pub fn index(rows: &mut Rows, r: &Relation, index: &Index, needs: &BTreeSet<Address>) {
    let own = (class::RELATION, index.oid, 0);
    let constraint = r.constraints.iter().find(|c| {
        matches!(c.kind, ConstraintKind::PrimaryKey { index: i } | ConstraintKind::Unique { index: i } if i == index.oid)
    });
    if let Some(constraint) = constraint {
        return depends(rows, own, (class::CONSTRAINT, constraint.oid, 0), INTERNAL);
    }
    let keys = index.keys.iter().filter_map(|k| k.column).chain(index.include.iter().copied());
    let keys: BTreeSet<Address> = keys.map(|column| (class::RELATION, r.oid, column)).collect();
    if keys.is_empty() && !needs.iter().any(|(_, oid, _)| *oid == r.oid) {
        depends(rows, own, (class::RELATION, r.oid, 0), AUTO);
    }
    for object in keys.iter().chain(needs.difference(&keys)) {
        depends(rows, own, *object, if object.1 == r.oid { AUTO } else { NORMAL });
    }
}

/// A view's rule is a part of it, and rests on what the query needs and on the view. It has the view's OID.
pub fn view(rows: &mut Rows, oid: u32, needs: &BTreeSet<Address>) {
    let (own, view) = ((class::RULE, oid, 0), (class::RELATION, oid, 0));
    depends(rows, own, view, INTERNAL);
    depends(rows, own, view, NORMAL);
    for object in needs {
        depends(rows, own, *object, NORMAL);
    }
}
