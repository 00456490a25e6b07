//! Declares the tools of the tool set `logs`.

use super::{Hints, LOGS, Tool, Toolset};

pub(super) const TOOLS: &[Tool] = &[
    Tool {
        name: "getLogSources",
        title: "Get log sources",
        description: "Names of the log sources for queryLogs.",
        toolset: Toolset::Logs,
        scopes: &[LOGS],
        hints: Hints::READS,
        input: closed!([]),
    },
    Tool {
        name: "queryLogs",
        title: "Query logs",
        description: "One page of log entries. Without times: the last 24 hours, also the longest window: walk \
            longer spans in steps. Kept 30 days (sandbox: 1). Holds personal data. Limit: about 60 log requests a \
            minute per tenant.",
        toolset: Toolset::Logs,
        scopes: &[LOGS],
        hints: Hints::READS,
        input: closed!([r#""sources""#]
            r#""sources":{"type":"array","items":{"type":"string","pattern":"^[^,\\s]+$"},"minItems":1,"description":"By getLogSources"}"#,
            concat!(r#""beginTime":{"#, time!(), r#","description":"e.g. 2026-01-31T10:00:00Z"}"#),
            concat!(r#""endTime":{"#, time!(), "}"),
            text!("transactionId", "One request and all it caused"),
            r#""queryFilter":{"type":"string","maxLength":2000,"description":"Paths begin with /, e.g. /payload/level eq \"ERROR\""}"#,
            page!(1000, 100)),
    },
];
