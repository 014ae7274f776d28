//! Ten alerts as they come in real life, by options or as a machine sends them. Their bodies are files, so that they can
//! be read as they are.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use super::golden::folder;

/// An alert, and what only some types have a place for.
pub(super) struct Told {
    /// Its folder below `tests/golden/alerts`; a `body.txt` there is its text.
    pub(super) name: &'static str,
    /// What `--from` says of it, and the file below `tests/data/feeds` that is its text.
    pub(super) feed: Option<[&'static str; 2]>,
    /// This and the address are empty where the machine says them.
    pub(super) title: &'static str,
    pub(super) level: Option<&'static str>,
    pub(super) prefix: Option<&'static str>,
    pub(super) fields: &'static [(&'static str, &'static str)],
    pub(super) url: &'static str,
    pub(super) btntxt: Option<&'static str>,
    pub(super) picurl: Option<&'static str>,
    /// What cards show besides, each where it has a place.
    pub(super) on_cards: &'static [(&'static str, &'static str)],
    /// The best type of an app and of a webhook.
    pub(super) best: [&'static str; 2],
}

const NOTHING: Told = Told {
    name: "",
    feed: None,
    title: "",
    level: None,
    prefix: None,
    fields: &[],
    url: "",
    btntxt: None,
    picurl: None,
    on_cards: &[],
    best: ["markdown", "markdown_v2"],
};

pub(super) const ALL: [Told; 11] = [
    Told {
        name: "disk-full",
        title: "Disk almost full on web-1",
        level: Some("critical"),
        prefix: Some("[prod]"),
        fields: &[("host", "web-1.shanghai"), ("mount", "/var"), ("used", "97%"), ("inodes", "41%")],
        url: "https://grafana.example.com/d/disk?var-host=web-1&from=now-6h",
        on_cards: &[
            ("--source", "node-check"),
            ("--emphasis", "97%=of /var used"),
            ("--jump", "runbook=https://wiki.example.com/disk"),
        ],
        ..NOTHING
    },
    Told {
        name: "rust-panic",
        title: "payments-worker panicked",
        level: Some("critical"),
        fields: &[
            ("service", "payments-worker"),
            ("version", "2.14.0+3f9c1aa"),
            ("pod", "payments-worker-7d9f8b6c5-x2x7q"),
        ],
        url: "https://logs.example.com/s/payments?q=panic#L1042",
        ..NOTHING
    },
    Told {
        name: "java-exception",
        title: "NullPointerException in OrderService.lambda$price$3",
        level: Some("critical"),
        fields: &[("service", "order-api"), ("env", "prod"), ("trace id", "4bf92f3577b34da6")],
        url: "https://logs.example.com/trace/4bf92f3577b34da6",
        btntxt: Some("日志"),
        ..NOTHING
    },
    Told {
        name: "gitlab-failure",
        title: "Pipeline #48211 failed: shop/price_engine",
        level: Some("critical"),
        fields: &[
            ("branch", "fix/round_half_up"),
            ("commit", "3f9c1aa2 Round *half up*, not <half even> (#512)"),
            ("author", "Li Wei <li.wei@example.com>"),
            ("stage", "test"),
            ("job", "unit: [py3.12]"),
            ("duration", "4m 12s"),
        ],
        url: "https://gitlab.example.com/shop/price_engine/-/pipelines/48211",
        ..NOTHING
    },
    Told {
        name: "alertmanager-group",
        feed: Some(["alertmanager", "alertmanager-group.json"]),
        best: ["markdown", "markdown"],
        on_cards: &[("--source", "Alertmanager"), ("--quote", "10 of 12 are still firing")],
        ..NOTHING
    },
    Told {
        name: "grafana-image",
        feed: Some(["grafana", "grafana-image.json"]),
        prefix: Some("[prod]"),
        fields: &[("receiver", "ops_room")],
        ..NOTHING
    },
    Told {
        name: "certificate",
        title: "Certificate of shop.example.com expires in 6 days",
        level: Some("warning"),
        url: "https://wiki.example.com/runbooks/certificates",
        btntxt: Some("处理手册"),
        on_cards: &[("--emphasis", "6=days left")],
        best: ["textcard", "news"],
        ..NOTHING
    },
    Told {
        name: "backup-log",
        title: "Nightly backup finished with 3 errors",
        level: Some("warning"),
        fields: &[("job", "restic-nightly"), ("host", "backup-2"), ("files", "4 211"), ("errors", "3")],
        url: "https://backup.example.com/jobs/2026-11-25",
        ..NOTHING
    },
    Told {
        name: "payment-cjk",
        title: "支付成功率跌至 87.2%，低于阈值 95%",
        level: Some("critical"),
        prefix: Some("【生产】"),
        fields: &[
            ("业务", "订单中心 / 支付网关"),
            ("渠道", "微信支付、支付宝"),
            ("影响范围", "华东、华南；约 3,200 笔订单"),
            ("负责人", "张三（值班）"),
            ("开始时间", "2026-11-25 23:41"),
        ],
        url: "https://监控.example.com/看板/支付?窗口=15分钟",
        best: ["markdown", "markdown"],
        ..NOTHING
    },
    Told {
        name: "fields-only",
        title: "Replica lags behind",
        level: Some("warning"),
        fields: &[
            ("cluster", "orders-db"),
            ("replica", "db-3"),
            ("lag", "348 s"),
            ("limit", "60 s"),
            ("WAL position", "3A/F0C2_81B8"),
            ("note", ""),
            ("query", "SELECT * FROM orders WHERE state <> 'done' AND created < now() - interval '1 day'"),
        ],
        url: "https://grafana.example.com/d/replication",
        best: ["markdown", "markdown"],
        ..NOTHING
    },
    Told {
        name: "ansi-tests",
        title: "Tests failed on main",
        level: Some("critical"),
        fields: &[("branch", "main"), ("failed", "2 of 318")],
        url: "https://ci.example.com/runs/9021",
        ..NOTHING
    },
];

impl Told {
    /// Everything but the text, as options.
    pub(super) fn options(&self, on_a_card: bool) -> Vec<(&'static str, String)> {
        let said = |text: &'static str| Some(text).filter(|text| !text.is_empty());
        let given = [
            ("--from", self.feed.map(|[format, _]| format)),
            ("--title", said(self.title)),
            ("--level", self.level),
            ("--prefix", self.prefix),
            ("--url", said(self.url)),
            ("--btntxt", self.btntxt),
            ("--picurl", self.picurl),
        ];
        let given = given.into_iter().filter_map(|(option, value)| Some((option, value?.to_owned())));
        let fields = self.fields.iter().map(|(key, value)| ("--field", format!("{key}={value}")));
        let on_cards = self.on_cards.iter().filter(|_| on_a_card).map(|(option, value)| (*option, (*value).to_owned()));
        given.chain(fields).chain(on_cards).collect()
    }

    /// What comes in on standard input; nothing for an alert without a text.
    pub(super) fn body(&self) -> Vec<u8> {
        if let Some([_, file]) = self.feed {
            return fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/feeds").join(file)).unwrap();
        }
        match self.name {
            "backup-log" => backup_log().into_bytes(),
            _ => fs::read(folder().join(self.name).join("body.txt")).unwrap_or_default(),
        }
    }
}

/// 300 KiB, most of it of no interest.
fn backup_log() -> String {
    let mut log = String::from("open repository\nlock repository\nusing parent snapshot 5f1d0c2e\n");
    for number in 0..4211 {
        let seconds = number * 3;
        let clock = format!("{:02}:{:02}:{:02}", 1 + seconds / 3600, seconds / 60 % 60, seconds % 60);
        let _ =
            writeln!(log, "{clock} unchanged /srv/data/客户资料/{:03}/invoice_{number:05}.pdf, 0 B added", number % 97);
        if number % 1500 == 1042 {
            let _ = writeln!(log, "{clock} error: read /srv/data/locked_{number}.db: input/output error");
        }
    }
    log.push_str("\nFiles:        12 new,     7 changed,  4192 unmodified\nAdded to the repository: 81.4 MiB\n");
    log.push_str("processed 4211 files, 1.208 TiB in 3:30:33\nWarning: at least one source file could not be read\n");
    assert!(log.len() > 300 << 10);
    log
}
