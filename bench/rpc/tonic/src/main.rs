//! Client and server for the benchmark `rpc`: 100 bytes there, and the same bytes back, without a codec. It obeys the
//! same lines on stdin as the clients of Node, and answers with the same.

use std::convert::Infallible;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use bytes::{Buf, BufMut, Bytes};
use serde::{Deserialize, Serialize};
use tokio::io::{AsyncBufReadExt, BufReader};
use tonic::body::BoxBody;
use tonic::codec::{Codec, DecodeBuf, Decoder, EncodeBuf, Encoder};
use tonic::codegen::{http, Service};
use tonic::server::{NamedService, UnaryService};
use tonic::transport::Channel;
use tonic::{Request, Response, Status};

const PATH: &str = "/bench.Work/Work";

#[derive(Clone, Default)]
struct Same;

impl Codec for Same {
    type Encode = Bytes;
    type Decode = Bytes;
    type Encoder = Same;
    type Decoder = Same;
    fn encoder(&mut self) -> Same {
        Same
    }
    fn decoder(&mut self) -> Same {
        Same
    }
}

impl Encoder for Same {
    type Item = Bytes;
    type Error = Status;
    fn encode(&mut self, item: Bytes, to: &mut EncodeBuf<'_>) -> Result<(), Status> {
        to.put(item);
        Ok(())
    }
}

impl Decoder for Same {
    type Item = Bytes;
    type Error = Status;
    fn decode(&mut self, from: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        let length = from.remaining();
        Ok(Some(from.copy_to_bytes(length)))
    }
}

#[derive(Clone)]
struct Work;

impl UnaryService<Bytes> for Work {
    type Response = Bytes;
    type Future = std::future::Ready<Result<Response<Bytes>, Status>>;
    fn call(&mut self, request: Request<Bytes>) -> Self::Future {
        std::future::ready(Ok(Response::new(request.into_inner())))
    }
}

impl NamedService for Work {
    const NAME: &'static str = "bench.Work";
}

impl Service<http::Request<BoxBody>> for Work {
    type Response = http::Response<BoxBody>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;
    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }
    fn call(&mut self, request: http::Request<BoxBody>) -> Self::Future {
        Box::pin(async move { Ok(tonic::server::Grpc::new(Same).unary(Work, request).await) })
    }
}

#[derive(Deserialize, Clone, Copy)]
#[serde(rename_all = "camelCase")]
struct Phase {
    in_flight: usize,
    for_ms: u64,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Measured {
    calls: usize,
    cpu_us: u64,
    wall_ms: f64,
    p50_ms: f64,
    p99_ms: f64,
}

async fn one_after_the_other(channel: Channel, until: Instant) -> Vec<f64> {
    let payload = Bytes::from_static(&[7; 100]);
    let mut client = tonic::client::Grpc::new(channel);
    let mut took = Vec::new();
    while Instant::now() < until {
        let started = Instant::now();
        client.ready().await.expect("the server is there");
        let path = http::uri::PathAndQuery::from_static(PATH);
        client.unary(Request::new(payload.clone()), path, Same).await.expect("it answers");
        took.push(started.elapsed().as_secs_f64() * 1000.0);
    }
    took
}

async fn measure(channel: &Channel, phase: Phase) -> Measured {
    let started = Instant::now();
    let cpu = cpu_us();
    let until = started + Duration::from_millis(phase.for_ms);
    let callers: Vec<_> = (0..phase.in_flight)
        .map(|_| tokio::spawn(one_after_the_other(channel.clone(), until)))
        .collect();
    let mut took = Vec::new();
    for caller in callers {
        took.extend(caller.await.expect("callers do not panic"));
    }
    took.sort_by(f64::total_cmp);
    Measured {
        calls: took.len(),
        cpu_us: cpu_us() - cpu,
        wall_ms: started.elapsed().as_secs_f64() * 1000.0,
        p50_ms: took[took.len() / 2],
        p99_ms: took[took.len() * 99 / 100],
    }
}

fn cpu_us() -> u64 {
    // SAFETY: getrusage writes the struct that it is given, and nothing else.
    let usage = unsafe {
        let mut usage: libc::rusage = std::mem::zeroed();
        libc::getrusage(libc::RUSAGE_SELF, &mut usage);
        usage
    };
    let micros = |time: libc::timeval| time.tv_sec as u64 * 1_000_000 + time.tv_usec as u64;
    micros(usage.ru_utime) + micros(usage.ru_stime)
}

async fn serve() -> Result<(), Box<dyn std::error::Error>> {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    println!("{{\"port\":{}}}", listener.local_addr()?.port());
    let incoming = tokio_stream::wrappers::TcpListenerStream::new(listener);
    tonic::transport::Server::builder().add_service(Work).serve_with_incoming(incoming).await?;
    Ok(())
}

async fn call(port: &str) -> Result<(), Box<dyn std::error::Error>> {
    let channel = Channel::from_shared(format!("http://127.0.0.1:{port}"))?.connect().await?;
    println!("{{\"ready\":true}}");
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Some(line) = lines.next_line().await? {
        let phase: Phase = serde_json::from_str(&line)?;
        println!("{}", serde_json::to_string(&measure(&channel, phase).await)?);
    }
    Ok(())
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().collect();
    match words.get(1).map(String::as_str) {
        Some("server") => serve().await,
        Some("client") => call(words.get(2).ok_or("expected a port")?).await,
        _ => Err("expected server, or client PORT".into()),
    }
}
