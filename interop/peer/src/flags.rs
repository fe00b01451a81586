//! The command line: those flags of `blip agent` that the crate has something to do with.
use blip::overlay::CutDetectorConfig;
use std::{collections::HashMap, fs, net::SocketAddr, str::FromStr, time::Duration};
use tonic::transport::{Certificate, ClientTlsConfig, Identity, ServerTlsConfig};

pub struct Flags {
    pub listen: SocketAddr,
    pub seed: Option<SocketAddr>,
    pub meta: HashMap<String, Vec<u8>>,
    pub cache: Option<usize>,
    pub detection: Detection,
    pub fault_timeout: Option<Duration>,
    pub fault_strikes: Option<usize>,
    pub cut: Option<CutDetectorConfig>,
    pub tls: Option<Tls>,
    pub json: bool,
    pub hold: bool,
}

/// Both sides of TLS, as the crate is told of them. Its client checks members for a name that all their certificates
/// have in common, since the TLS library below it knows no addresses.
pub struct Tls {
    pub server: ServerTlsConfig,
    pub client: ClientTlsConfig,
}

pub enum Detection {
    Default,
    LowLatency,
}

impl Flags {
    /// Refuses with one line that names the flag, the value and what is expected.
    pub fn parse(mut args: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut listen = None;
        let mut tls = TlsFlags::default();
        let mut flags = Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: None,
            meta: HashMap::new(),
            cache: None,
            detection: Detection::Default,
            fault_timeout: None,
            fault_strikes: None,
            cut: None,
            tls: None,
            json: false,
            hold: false,
        };

        while let Some(flag) = args.next() {
            let mut value = || (args.next()).ok_or_else(|| format!("{flag}: a value is expected"));
            match flag.as_str() {
                "--listen" => listen = Some(parse(&flag, &value()?, "IP:PORT")?),
                "--seed" => {
                    let seed = parse(&flag, &value()?, "IP:PORT")?;
                    if flags.seed.replace(seed).is_some() {
                        return Err(format!("{flag} {seed}: one seed is expected"));
                    }
                }
                "--meta" => {
                    let pair = value()?;
                    let (key, text) = (pair.split_once('='))
                        .ok_or_else(|| format!("{flag} {pair}: KEY=VALUE is expected"))?;
                    flags.meta.insert(key.to_owned(), text.as_bytes().to_vec());
                }
                "--cache" => flags.cache = Some(positive(&flag, &value()?)?),
                "--low-latency" => flags.detection = Detection::LowLatency,
                "--fault-timeout-ms" => {
                    let millis = positive(&flag, &value()?)? as u64;
                    flags.fault_timeout = Some(Duration::from_millis(millis));
                }
                "--fault-strikes" => flags.fault_strikes = Some(positive(&flag, &value()?)?),
                "--cut" => flags.cut = Some(cut_detector(&flag, &value()?)?),
                "--tls-cert" => tls.cert = Some(read(&flag, &value()?)?),
                "--tls-key" => tls.key = Some(read(&flag, &value()?)?),
                "--tls-ca" => tls.ca = Some(read(&flag, &value()?)?),
                "--tls-name" => tls.name = Some(value()?),
                "--mutual" => tls.mutual = true,
                "--json" => flags.json = true,
                "--hold" => flags.hold = true,
                _ => return Err(format!("{flag}: no such flag")),
            }
        }

        // The crate gives the address it listens on to the others, so port 0 would tell them nothing.
        flags.listen = (listen.filter(|addr: &SocketAddr| addr.port() != 0))
            .ok_or("--listen: IP:PORT with a port other than 0 is expected")?;
        flags.tls = tls.checked()?;
        Ok(flags)
    }
}

#[derive(Default)]
struct TlsFlags {
    cert: Option<Vec<u8>>,
    key: Option<Vec<u8>>,
    ca: Option<Vec<u8>>,
    name: Option<String>,
    mutual: bool,
}

impl TlsFlags {
    fn checked(self) -> Result<Option<Tls>, String> {
        let (cert, key, ca, name) = match (self.cert, self.key, self.ca, self.name) {
            (None, None, None, None) => return Ok(None),
            (Some(cert), Some(key), Some(ca), Some(name)) => (cert, key, ca, name),
            _ => {
                return Err("--tls-cert, --tls-key, --tls-ca, --tls-name: all four are expected".into())
            }
        };

        let identity = Identity::from_pem(cert, key);
        let ca = Certificate::from_pem(ca);
        let mut server = ServerTlsConfig::new().identity(identity.clone());
        let mut client = (ClientTlsConfig::new())
            .ca_certificate(ca.clone())
            .domain_name(name);
        if self.mutual {
            server = server.client_ca_root(ca);
            client = client.identity(identity);
        }
        Ok(Some(Tls { server, client }))
    }
}

fn read(flag: &str, path: &str) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{flag} {path}: {error}"))
}

fn parse<T: FromStr>(flag: &str, value: &str, expected: &str) -> Result<T, String> {
    (value.parse()).map_err(|_| format!("{flag} {value}: {expected} is expected"))
}

fn positive(flag: &str, value: &str) -> Result<usize, String> {
    match parse(flag, value, "a whole number above 0")? {
        0 => Err(format!(
            "{flag} {value}: a whole number above 0 is expected"
        )),
        number => Ok(number),
    }
}

fn cut_detector(flag: &str, value: &str) -> Result<CutDetectorConfig, String> {
    let numbers: Vec<usize> = (value.split(','))
        .map(|number| positive(flag, number))
        .collect::<Result<_, _>>()?;

    match numbers[..] {
        [k, h, l] if l <= h && h <= k => Ok(CutDetectorConfig {
            subjects_per_observer: k,
            stable_threshold: h,
            unstable_threshold: l,
        }),
        _ => Err(format!(
            "{flag} {value}: K,H,L with L <= H <= K is expected"
        )),
    }
}
