//! One member with a cache, of the published crate: gets what it is told to get, and says what it loaded.
use blip::{
    service::{cache::Source, Cache},
    Mesh, MeshService, Subscription,
};
use bytes::Bytes;
use serde::Deserialize;
use std::{
    mem,
    net::SocketAddr,
    sync::{
        atomic::{AtomicUsize, Ordering},
        Arc, Mutex,
    },
    time::{Duration, Instant},
};
use tokio::io::{stdin, AsyncBufReadExt, BufReader};

/// A key is "SIZE:NAME"; one whose name begins with "herd" takes a while to load.
struct Made(Arc<Mutex<Vec<String>>>);

#[blip::async_trait]
impl Source for Made {
    async fn get(&self, key: &[u8]) -> Result<Vec<u8>, tonic::Status> {
        let key = String::from_utf8_lossy(key).into_owned();
        let (size, name) = key.split_once(':').expect("SIZE:NAME");
        let size = size.parse().expect("a size");
        let waits = name.starts_with("herd");
        self.0.lock().unwrap().push(key);
        if waits {
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        Ok(vec![7; size])
    }
}

struct Teller;

#[blip::async_trait]
impl MeshService for Teller {
    async fn accept(self: Box<Self>, mut cuts: Subscription) {
        while let Ok(cut) = cuts.recv().await {
            println!("{{\"members\":{}}}", cut.members().len());
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Order {
    keys: Option<Vec<String>>,
    in_flight: Option<usize>,
    passes: Option<usize>,
}

#[tokio::main]
async fn main() {
    let mut words = std::env::args().skip(1);
    let listen: SocketAddr = words.next().and_then(|word| word.parse().ok()).expect("IP:PORT");
    let seed = words.next().map(|word| word.parse::<SocketAddr>().expect("IP:PORT"));
    let loaded = Arc::new(Mutex::new(Vec::new()));
    let cache = Cache::new(30_000, Made(loaded.clone()));
    let mut mesh = Mesh::new();
    if let Some(seed) = seed {
        mesh = mesh.join_seed(seed, false);
    }
    let mesh = mesh.add_mesh_service(Teller).add_service(cache.clone());
    tokio::spawn(async move { mesh.serve(listen).await.expect("the mesh serves") });

    let mut lines = BufReader::new(stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        let order: Order = serde_json::from_str(&line).expect("an order");
        match order.keys {
            None => {
                let loaded = mem::take(&mut *loaded.lock().unwrap());
                println!("{}", serde_json::json!({ "loaded": loaded }));
            }
            Some(keys) => {
                let (in_flight, passes) = (order.in_flight.unwrap_or(1), order.passes.unwrap_or(1));
                println!("{}", get(&cache, keys, in_flight, passes).await);
            }
        }
    }
    std::process::exit(0);
}

async fn get(cache: &Cache, keys: Vec<String>, in_flight: usize, passes: usize) -> serde_json::Value {
    let keys: Arc<Vec<Bytes>> = Arc::new(keys.into_iter().map(Bytes::from).collect());
    let count = keys.len() * passes;
    let next = Arc::new(AtomicUsize::new(0));
    let began = Instant::now();
    let workers: Vec<_> = (0..in_flight)
        .map(|_| {
            let (cache, keys, next) = (cache.clone(), keys.clone(), next.clone());
            tokio::spawn(async move {
                loop {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    if at >= count {
                        return;
                    }
                    let value = cache.get(keys[at % keys.len()].clone()).await.expect("a value");
                    assert!(!value.is_empty());
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.expect("a worker ends well");
    }
    serde_json::json!({ "ops": count, "ms": began.elapsed().as_secs_f64() * 1e3 })
}
