#!/bin/sh
# madsim 0.2.34: what its TCP does otherwise than a network.
#
# A clogged link delivers what is in flight when the clog begins. What is written while it is clogged is tried again after
# 1, 2, 4, ... ms, 10 s at most, and not when the clog ends: it comes up to 10 s after that. `packet_loss_rate` loses
# nothing on an open connection, but refuses that share of connects at once. The end of a connection has no latency: the peer
# of a node that is killed sees it at that instant, or as soon as it has read what was in flight. A write to a peer that is
# dead succeeds; only the flush tells. Datagrams that wait at a socket are not received in their order: after the first
# comes the newest.
#
# Latency is 50 ms throughout.
set -eu

expected='a clog 20 ms after a byte was sent: it is heard all the same
a byte written during a clog of 20 s: it is heard seconds after the end of the clog
a loss rate of 0.3: of 1,000 connects about 300 are refused
the sender is killed 20 ms after it sent: byte 1 later, an end at the instant of the byte
the sender is killed 300 ms after it sent: byte 1 before, an end at the instant of the kill
600 ms after the peer was killed: the write is ok: true, the flush is ok: false
three datagrams that wait: received in the order [1, 3, 2]'

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
cargo new --quiet --vcs none finding
cd finding
cat >> Cargo.toml <<'TOML'
madsim = "=0.2.34"
tokio = { version = "=1.54.1", features = ["io-util"] }

[lints.rust]
unexpected_cfgs = { level = "allow", check-cfg = ["cfg(madsim)"] }
TOML
cat > src/main.rs <<'RUST'
use std::future::Future;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr};

use madsim::Config;
use madsim::net::{NetSim, TcpListener, TcpStream, UdpSocket};
use madsim::runtime::{Handle, NodeHandle, Runtime};
use madsim::time::{Duration, Instant, sleep, timeout};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

const fn ms(ms: u64) -> Duration {
    Duration::from_millis(ms)
}

fn run<F: Future>(loss: f64, future: F) -> F::Output {
    let mut config = Config::default();
    config.net.send_latency = ms(50)..ms(50) + Duration::from_nanos(1);
    config.net.packet_loss_rate = loss;
    Runtime::with_seed_and_config(1, config).block_on(future)
}

fn node(last: u8) -> NodeHandle {
    Handle::current().create_node().ip(IpAddr::V4(Ipv4Addr::new(10, 0, 0, last))).build()
}

/// The node b, and when it gets each byte of the first connection to it, by the clock of the run; an end is `None`.
fn listener(begin: Instant) -> (NodeHandle, madsim::task::JoinHandle<Vec<(Option<u8>, u64)>>) {
    let b = node(2);
    let heard = b.spawn(async move {
        let listener = TcpListener::bind("0.0.0.0:9").await.unwrap();
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        while let Ok(read) = timeout(ms(60_000), stream.read_u8()).await {
            heard.push((read.ok(), begin.elapsed().as_millis() as u64));
            if heard.len() == 3 {
                break;
            }
        }
        heard
    });
    (b, heard)
}

async fn write(stream: &mut TcpStream, byte: u8) -> std::io::Result<()> {
    stream.write_u8(byte).await?;
    stream.flush().await
}

fn clog() {
    run(0.0, async {
        let begin = Instant::now();
        let (b, heard) = listener(begin);
        let a = node(1);
        let ends = a.spawn(async {
            sleep(ms(100)).await;
            let mut stream = TcpStream::connect("10.0.0.2:9").await.unwrap();
            sleep(ms(400)).await;
            write(&mut stream, 1).await.unwrap();
            sleep(ms(100)).await;
            write(&mut stream, 2).await.unwrap();
            sleep(ms(60_000)).await;
        });
        sleep(ms(520)).await;
        NetSim::current().clog_link(a.id(), b.id());
        sleep(ms(20_000)).await;
        NetSim::current().unclog_link(a.id(), b.id());
        let end = begin.elapsed().as_millis() as u64;
        let heard = heard.await.unwrap();
        drop(ends);
        let is_in_time = (550..560).contains(&heard[0].1);
        println!("a clog 20 ms after a byte was sent: it is heard {}", if is_in_time { "all the same" } else { "late" });
        let after = heard[1].1 - end;
        let words = if (3_000..=10_000).contains(&after) { "seconds after the end of the clog" } else { "soon" };
        println!("a byte written during a clog of 20 s: it is heard {words}");
    });
}

fn loss() {
    let refused = run(0.3, async {
        let b = node(2);
        drop(b.spawn(async {
            let listener = TcpListener::bind("0.0.0.0:9").await.unwrap();
            let mut open = Vec::new();
            loop {
                open.push(listener.accept().await.unwrap());
            }
        }));
        let a = node(1);
        let connecting = a.spawn(async {
            sleep(ms(100)).await;
            let (mut refused, mut open) = (0, Vec::new());
            for _ in 0..1_000 {
                match TcpStream::connect("10.0.0.2:9").await {
                    Ok(stream) => open.push(stream),
                    Err(error) => refused += u32::from(error.kind() == ErrorKind::ConnectionRefused),
                }
            }
            refused
        });
        connecting.await.unwrap()
    });
    let share = if (250..350).contains(&refused) { "about 300" } else { "others" };
    println!("a loss rate of 0.3: of 1,000 connects {share} are refused");
}

fn kill(after_ms: u64) {
    run(0.0, async move {
        let begin = Instant::now();
        let (b, heard) = listener(begin);
        let a = node(1);
        drop(a.spawn(async {
            sleep(ms(100)).await;
            let mut stream = TcpStream::connect("10.0.0.2:9").await.unwrap();
            sleep(ms(400)).await;
            write(&mut stream, 1).await.unwrap();
            sleep(ms(60_000)).await;
        }));
        sleep(ms(500 + after_ms)).await;
        Handle::current().kill(a.id());
        let killed = begin.elapsed().as_millis() as u64;
        let heard = heard.await.unwrap();
        let (byte, end) = (heard[0], heard[1]);
        assert_eq!((byte.0, end.0), (Some(1), None));
        let when = if byte.1 > killed { "later" } else { "before" };
        let instant = match end.1 {
            at if at == byte.1 => "the byte",
            at if at == killed => "the kill",
            _ => "neither",
        };
        println!("the sender is killed {after_ms} ms after it sent: byte 1 {when}, an end at the instant of {instant}");
        drop(b);
    });
}

fn dead_peer() {
    run(0.0, async {
        let (b, heard) = listener(Instant::now());
        drop(heard);
        let a = node(1);
        let writing = a.spawn(async {
            sleep(ms(100)).await;
            let mut stream = TcpStream::connect("10.0.0.2:9").await.unwrap();
            sleep(ms(1_000)).await;
            (stream.write_u8(1).await.is_ok(), stream.flush().await.is_ok())
        });
        sleep(ms(500)).await;
        Handle::current().kill(b.id());
        let (write, flush) = writing.await.unwrap();
        println!("600 ms after the peer was killed: the write is ok: {write}, the flush is ok: {flush}");
    });
}

fn datagrams() {
    let heard = run(0.0, async {
        let b = node(2);
        let hearing = b.spawn(async {
            let socket = UdpSocket::bind("0.0.0.0:9").await.unwrap();
            sleep(ms(1_000)).await;
            let mut heard = Vec::new();
            for _ in 0..3 {
                let mut byte = [0];
                socket.recv_from(&mut byte).await.unwrap();
                heard.push(byte[0]);
            }
            heard
        });
        let a = node(1);
        drop(a.spawn(async {
            let socket = UdpSocket::bind("0.0.0.0:9").await.unwrap();
            for byte in 1..=3 {
                sleep(ms(100)).await;
                socket.send_to("10.0.0.2:9", &[byte]).await.unwrap();
            }
            sleep(ms(60_000)).await;
        }));
        hearing.await.unwrap()
    });
    println!("three datagrams that wait: received in the order {heard:?}");
}

fn main() {
    clog();
    loss();
    kill(20);
    kill(300);
    dead_peer();
    datagrams();
}
RUST
unset CARGO_ENCODED_RUSTFLAGS || true
export RUSTFLAGS='--cfg madsim'
cargo build --quiet
found=$(timeout 300 "${CARGO_TARGET_DIR:-target}/debug/finding")
echo "$found"
if [ "$found" != "$expected" ]; then
    echo "changed; it was:" >&2
    echo "$expected" >&2
    exit 1
fi
