//! The program's own words in Chinese.

use std::io;

use super::{Failure, MissingFile, Words, spaced};
use crate::clock::units;
use crate::error::Status;

pub(super) static WORDS: Words = Words {
    colon: "：",
    comma: "，",
    name_comma: "、",
    brackets: ["【", "】"],
    parentheses: ["（", "）"],
    units: units([" 天", " 小时", " 分钟", " 秒"]),

    info: "【通知】",
    ok: "【正常】",
    warning: "【警告】",
    critical: "【严重】",

    details: "详情",
    picture: "图片",
    submit: "提交",
    card_source: "来源",

    link: "链接",
    image: "图片",
    attachment: "附件",
    template: "模板",
    without_template: "模板无法使用，已改用内置格式",
    host: "主机",
    command: "命令",
    exit_code: "退出码",
    signal: "信号",
    ended_by: "终止方式",
    error: "原因",
    duration: "耗时",
    started: "开始时间",
    failed_since: "故障开始时间",
    repository: "仓库",
    branch: "分支",
    tag: "标签",
    commit: "提交",
    author: "作者",
    job: "任务",

    succeeded: "成功",
    failed: "失败",
    canceled: "已取消",
    recovered: "已恢复",
    not_started: "无法启动",
    ended_somehow: "已结束，结果不明",
    failed_with: |code| format!("失败，退出码 {code}"),
    killed_by: |signal| format!("被 {signal} 终止"),
    timed_out: |limit| format!("超时，时限 {limit}"),

    still_running: |id| format!("无法终止，仍在运行，进程号 {id}"),
    why_not_started: |kind, why| {
        match kind {
            io::ErrorKind::NotFound => "找不到该程序",
            io::ErrorKind::PermissionDenied => "没有执行权限",
            _ => why,
        }
        .to_owned()
    },
    has_windows_line_ends: "，程序名末尾有回车符：脚本用了 Windows 换行，请改成 Unix 换行",
    has_no_name: "：程序名为空，是不是变量为空？",
    is_shell_word: "：这是 shell 内部命令，请写成 -- sh -c '命令行'",
    is_shell_line: "：这像是一行 shell 命令，请写成 -- sh -c '命令行'",
    needs_whole_path: "，请写完整路径：cron 和 systemd 下的 PATH 很短",

    last_lines: |shown, all| format!("【共 {all} 行输出，以下是最后 {shown} 行】"),
    left_out: |bytes| format!("【此处省略 {bytes} 字节】"),
    whole_text_in: |first, last| match last {
        Some(last) => format!("全文见随后的文件 {first} 至 {last}"),
        None => format!("全文见随后的文件 {first}"),
    },
    text_file: |host, time| format!("告警-{host}-{time}"),
    file_number: |number, count| format!("-第{number}份-共{count}份"),

    missing_file: |name, missing, _| {
        let why = match missing {
            MissingFile::Absent => "文件不存在",
            MissingFile::Forbidden => "没有读取权限",
            MissingFile::Folder => "是目录，不是文件",
            MissingFile::Empty => "文件为空或不足 6 字节",
            MissingFile::TooLarge => "文件太大",
            MissingFile::Unusable => "文件无法读取或不符合要求",
        };
        format!("{name} 未能发送（{why}）")
    },
    old_file: |name, at| format!("{name} 是本次运行之前的旧文件，最后修改时间 {at}"),

    firing: "告警",
    resolved: "恢复",
    counted: |word, count| format!("{word} {count}"),
    more: |count| format!("另有 {count} 条"),
    more_names: |names, _, count| format!("{} {count} 种", spaced(names, "等")),
    nameless: |system| format!("{system} 告警"),
    more_alerts: |count| format!("另有 {count} 条告警未列出"),
    values: "数值",
    since: |time| format!("触发时间：{time}"),
    until: |time| format!("恢复时间：{time}"),
    period_comma: "，",
    source: "来源",
    panel: "面板",
    dashboard: "仪表盘",
    silence: "静默",

    delayed: |age, at| format!("【延迟 {age}，原发送时间 {at}】"),
    next_is_late: "下一条消息延迟送达",
    held_back: |count, since| format!("【自 {since} 起已抑制 {count} 条重复告警】"),
    fallback: |channel, failure| {
        let why = match failure {
            Failure::Errcode(code) => format!("错误码 {code}"),
            Failure::Status(status) => match status {
                Status::Config => "配置有误",
                Status::Auth => "凭据被拒绝",
                Status::Refused => "消息被拒绝",
                Status::Temporary => "连不上企业微信",
                Status::RateLimited => "超出频率限制",
                Status::Unknown => "没有收到应答",
                _ => "发送失败",
            }
            .to_owned(),
        };
        format!("【改发：{}，{why}】", spaced(channel, "未送达"))
    },
    app: "应用",
    webhook: "webhook",
    chat: "应用群聊",
    aibot: "智能机器人",

    acknowledge: "认领",
    approve: "批准",
    reject: "拒绝",
    answered: |who, text, at| format!("{who} 选择了“{text}”（{at}）"),
    answered_locally: |user, host, text, at| format!("本机应答：{text}（{user}，主机 {host}，{at}）"),
    over: |at| format!("截至 {at} 无人回应，现在点击无效"),
    withdrawn: |at| format!("已于 {at} 撤回，现在点击无效"),
    over_button: "已超时",
    withdrawn_button: "已撤回",
    unanswered_since: |at| format!("【自 {at} 起无人回应】"),
    cannot_press: "【此处无法点击按钮】",
    not_theirs: |who| format!("{who}：你不在可回应的成员之列，点击无效"),
    says_nothing: "没有选择任何选项，点击无效",
    not_waited_for: "已无人等待回应，点击无效",

    working: "处理中",
    done: "已处理",
    taken_already: |line| format!("已有人处理：{line}"),
    expired: "点击已过期，未作处理",
    may_be_done: "处理被中断，结果不明",
    unknown_card: "未知卡片",

    test_message: |host, at| format!("wecom-alert 测试消息，来自主机 {host}，时间 {at}"),
    environment: "环境变量",
};
