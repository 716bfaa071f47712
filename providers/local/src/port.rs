//! TCP ports of this machine: which are free, and who holds those that are not.

use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::time::Duration;

use isobar_sdk::{Error, Path};

/// How often a taken port is looked at again, and after how long.
const LOOKS: u32 = 3;
const PAUSE: Duration = Duration::from_millis(50);

/// A port that nobody listens on now, chosen by the system, and the listener that holds it until
/// dropped, so that ports chosen together are different.
pub(crate) fn reserve(host: IpAddr) -> io::Result<(TcpListener, u16)> {
    let listener = TcpListener::bind(SocketAddr::new(host, 0))?;
    let port = listener.local_addr()?.port();
    Ok((listener, port))
}

/// Whether a server could listen on the port now.
pub(crate) fn is_free(host: IpAddr, port: u16) -> bool {
    TcpListener::bind(SocketAddr::new(host, port)).is_ok()
}

/// Tells in the user's words why a server cannot listen on the port, if it cannot. A port that
/// becomes free while this looks again is free: a process that has just ended lets go of it a
/// moment later, and one that is just being started shares every open socket for a moment.
///
/// # Errors
/// [`isobar_sdk::ErrorKind::Invalid`] at `port`.
pub(crate) async fn check(host: IpAddr, port: u16) -> Result<(), Error> {
    let mut result = TcpListener::bind(SocketAddr::new(host, port));
    for _ in 0..LOOKS {
        if result.is_ok() {
            break;
        }
        tokio::time::sleep(PAUSE).await;
        result = TcpListener::bind(SocketAddr::new(host, port));
    }
    let Err(error) = result else { return Ok(()) };
    let at = Path::attribute("port");
    Err(match error.kind() {
        io::ErrorKind::AddrInUse => {
            let holder = holder(port).map_or_else(String::new, |holder| format!(" by {holder}"));
            Error::invalid(at, format!("port {port} on {host} is taken{holder}"))
                .help("set another port in the zone, leave it out to let the system choose, or end the process that holds it")
        }
        io::ErrorKind::PermissionDenied => Error::invalid(
            at,
            format!("this user may not listen on port {port} on {host}"),
        )
        .help("choose a port of 1024 or above"),
        _ => Error::invalid(
            at,
            format!("cannot listen on port {port} on {host}: {error}"),
        )
        .help("check the `host` of the provider and the port of the zone"),
    })
}

/// Name and pid of the process that listens on the port, where this user may know it.
#[cfg(target_os = "linux")]
fn holder(port: u16) -> Option<String> {
    use procfs::net::{TcpState, tcp, tcp6};
    use procfs::process::{FDTarget, all_processes};

    let tables = [tcp().unwrap_or_default(), tcp6().unwrap_or_default()];
    let socket = tables
        .iter()
        .flatten()
        .find(|entry| entry.state == TcpState::Listen && entry.local_address.port() == port)?;
    let holder = all_processes().ok()?.flatten().find(|process| {
        let descriptors = process.fd().into_iter().flatten().flatten();
        let mut targets = descriptors.map(|descriptor| descriptor.target);
        targets.any(|target| matches!(target, FDTarget::Socket(inode) if inode == socket.inode))
    })?;
    let name = holder.stat().ok()?.comm;
    Some(format!("{name} (process {})", holder.pid()))
}

#[cfg(not(target_os = "linux"))]
const fn holder(_port: u16) -> Option<String> {
    None
}

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use isobar_sdk::{ErrorKind, Path};

    const HOST: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);

    #[tokio::test]
    async fn a_taken_port_is_named_with_its_holder() {
        let (listener, port) = super::reserve(HOST).unwrap();
        let error = super::check(HOST, port).await.unwrap_err();
        assert_eq!(
            error.kind,
            ErrorKind::Invalid {
                path: Path::attribute("port")
            }
        );
        assert!(error.message.contains(&port.to_string()), "{error}");
        if cfg!(target_os = "linux") {
            let this = format!("process {}", std::process::id());
            assert!(error.message.contains(&this), "{error}");
        }
        drop(listener);
        super::check(HOST, port).await.unwrap();
    }
}
