//! The way to WeCom: connections that do not come to stand, certificates, time limits, proxies.

#[cfg(target_os = "linux")]
mod addresses;
mod connection;
mod patience;
mod proxies;
mod proxy_variables;
#[cfg(unix)]
mod roots;
mod tls;
