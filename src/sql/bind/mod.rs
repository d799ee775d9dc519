//! Binder: names, types, functions and operators resolved against the catalog; typed expressions to SQLite SQL.
