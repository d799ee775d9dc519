//! Applications with Rust's clients: clients PORT NAME [DATABASE]. Each step prints what it saw, or the error that it met.

mod diesels;
mod orm;
mod sqlxes;
mod tokios;

use std::fmt::Display;

/// Prints a step's outcome.
pub fn told<T: Display, E: Display>(name: &str, outcome: Result<T, E>) {
    match outcome {
        Ok(value) => println!("{name}: {value}"),
        Err(error) => println!("{name}: error {}", error.to_string().lines().next().unwrap_or_default()),
    }
}

#[macro_export]
macro_rules! step {
    ($name:expr, $body:expr) => {{
        let outcome: Result<_, Box<dyn std::error::Error>> = async { $body }.await;
        $crate::told(&$name.to_string(), outcome);
    }};
}

#[tokio::main]
async fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    let database = arguments.get(3).map_or("quorate", String::as_str);
    let url = format!("postgres://quorate@127.0.0.1:{}/{database}", arguments[1]);
    match arguments[2].as_str() {
        "tokio-postgres" => tokios::run(&url).await,
        "sqlx" => sqlxes::run(&url).await,
        "sea-orm" => orm::run(&url).await,
        "diesel" => tokio::task::spawn_blocking(move || diesels::run(&url)).await.unwrap(),
        other => panic!("no application {other}"),
    }
}
