//! As much HTTP as asking a node for its status takes, and asking to be let in.

use quorate::status::ClusterStatus;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WITHIN: Duration = Duration::from_secs(5);

/// The status code and the body of a GET.
pub async fn get(port: u16, path: &str) -> Result<(u16, String), String> {
    ask(port, path, format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n")).await
}

/// The same of a POST with a JSON body.
pub async fn post(port: u16, path: &str, body: &str) -> Result<(u16, String), String> {
    let head =
        format!("POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\nContent-Type: application/json");
    ask(port, path, format!("{head}\r\nContent-Length: {}\r\n\r\n{body}", body.len())).await
}

async fn ask(port: u16, path: &str, request: String) -> Result<(u16, String), String> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<String, std::io::Error>(answer)
    };
    let answer = match tokio::time::timeout(WITHIN, exchange).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(e)) => return Err(format!("{path}: {e}")),
        Err(_) => return Err(format!("{path}: no answer")),
    };
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("{path}: half an answer"))?;
    let code = head.split(' ').nth(1).and_then(|c| c.parse().ok());
    Ok((code.ok_or_else(|| format!("{path}: {head}"))?, body.to_owned()))
}

pub async fn status(port: u16) -> Result<ClusterStatus, String> {
    let (code, body) = get(port, "/status").await?;
    if code != 200 {
        return Err(format!("/status: {code} {body}"));
    }
    serde_json::from_str(&body).map_err(|e| format!("/status: {e}"))
}
