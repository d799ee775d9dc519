//! As much HTTP as asking a node for its status takes.

use quorate::status::ClusterStatus;
use std::time::Duration;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WITHIN: Duration = Duration::from_secs(5);

/// The status code and the body of a GET.
pub async fn get(port: u16, path: &str) -> Result<(u16, String), String> {
    let exchange = async {
        let mut stream = TcpStream::connect(("127.0.0.1", port)).await?;
        let request = format!("GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n");
        stream.write_all(request.as_bytes()).await?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await?;
        Ok::<String, std::io::Error>(answer)
    };
    let answer = match tokio::time::timeout(WITHIN, exchange).await {
        Ok(Ok(answer)) => answer,
        Ok(Err(e)) => return Err(format!("GET {path}: {e}")),
        Err(_) => return Err(format!("GET {path}: no answer")),
    };
    let (head, body) = answer.split_once("\r\n\r\n").ok_or_else(|| format!("GET {path}: half an answer"))?;
    let code = head.split(' ').nth(1).and_then(|c| c.parse().ok());
    Ok((code.ok_or_else(|| format!("GET {path}: {head}"))?, body.to_owned()))
}

pub async fn status(port: u16) -> Result<ClusterStatus, String> {
    let (code, body) = get(port, "/status").await?;
    if code != 200 {
        return Err(format!("/status: {code} {body}"));
    }
    serde_json::from_str(&body).map_err(|e| format!("/status: {e}"))
}
