//! The workload as a program for turmoil and one for madsim, as their users would write it.

use core::sync::atomic::{AtomicU64, Ordering};
use core::time::Duration;
use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::UNIX_EPOCH;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};

const PORT: u16 = 7_000;
const LATENCY_MIN: Duration = Duration::from_millis(1);
const LATENCY_MAX: Duration = Duration::from_millis(10);
/// Half of the messages take at most 4 ms: the natural logarithm of 2, times the range of 9 ms, over 3 ms.
const LATENCY_CURVE: f64 = 2.08;

type Calls = Arc<AtomicU64>;

/// Answers with what it was asked, until the stream ends.
async fn serve(mut stream: impl AsyncRead + AsyncWrite + Unpin) {
    let mut bytes = [0; 32];
    while stream.read_exact(&mut bytes).await.is_ok() {
        if stream.write_all(&bytes).await.is_err() || stream.flush().await.is_err() {
            return;
        }
    }
}

/// Asks, for ever.
async fn ask(mut stream: impl AsyncRead + AsyncWrite + Unpin, calls: Calls) -> io::Result<()> {
    let mut bytes = [0; 32];
    loop {
        stream.write_all(&bytes).await?;
        stream.flush().await?;
        stream.read_exact(&mut bytes).await?;
        calls.fetch_add(1, Ordering::Relaxed);
    }
}

/// On turmoil's TCP; how many calls were answered.
pub(crate) fn on_turmoil(host_count: u32, seconds: u64) -> u64 {
    use turmoil::net::{TcpListener, TcpStream};
    let calls = Calls::default();
    let mut sim = turmoil::Builder::new()
        .epoch(UNIX_EPOCH)
        .rng_seed(1)
        .tick_duration(Duration::from_millis(1))
        .simulation_duration(Duration::MAX)
        .min_message_latency(LATENCY_MIN)
        .max_message_latency(LATENCY_MAX)
        .build();
    // An exponential distribution with that median, as the kernel has it.
    sim.set_message_latency_curve(LATENCY_CURVE);
    for pair in 0..host_count / 2 {
        sim.host(format!("server-{pair}"), || async {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                tokio::task::spawn_local(serve(stream));
            }
        });
        let calls = Arc::clone(&calls);
        sim.client(format!("client-{pair}"), async move {
            let stream = TcpStream::connect((format!("server-{pair}"), PORT)).await?;
            Ok(ask(stream, calls).await?)
        });
    }
    while sim.elapsed() < Duration::from_secs(seconds) {
        sim.step().expect("nothing goes wrong");
    }
    calls.load(Ordering::Relaxed)
}

/// On madsim's TCP; how many calls were answered.
pub(crate) fn on_madsim(host_count: u32, seconds: u64) -> u64 {
    use madsim::net::{TcpListener, TcpStream};
    let calls = Calls::default();
    let mut config = madsim::Config::default();
    config.net.send_latency = LATENCY_MIN..LATENCY_MAX;
    let runtime = madsim::runtime::Runtime::with_seed_and_config(1, config);
    let address = |host: u32| Ipv4Addr::from_bits(Ipv4Addr::new(10, 0, 0, 1).to_bits() + host);
    let half = host_count / 2;
    for pair in 0..half {
        let server = runtime.create_node().ip(address(pair).into()).build();
        server.spawn(async {
            let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT)).await?;
            loop {
                let (stream, _) = listener.accept().await?;
                madsim::task::spawn(serve(stream));
            }
            #[expect(unreachable_code, reason = "it says of what type the errors are")]
            io::Result::Ok(())
        });
        let client = runtime.create_node().ip(address(half + pair).into()).build();
        let calls = Arc::clone(&calls);
        client.spawn(async move {
            madsim::time::sleep(LATENCY_MIN).await;
            ask(TcpStream::connect((address(pair), PORT)).await?, calls).await
        });
    }
    runtime.block_on(async { madsim::time::sleep(Duration::from_secs(seconds)).await });
    calls.load(Ordering::Relaxed)
}
