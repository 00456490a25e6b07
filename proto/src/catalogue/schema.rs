//! Pieces of JSON Schema that several tools share, as text that `concat!` can join at compile time.
//!
//! Dialect: JSON Schema 2020-12, the default of MCP. There is no `$ref`, no look-around in patterns and no
//! `anyOf`, `oneOf`, `allOf` or `not` beside a tool's `properties`: some clients and model providers refuse those.

/// An object that takes the listed members and no others: `closed!([required names] member, member, …)`.
/// What follows a second `;` is put beside `properties` as it stands.
macro_rules! closed {
    ([$($required:literal)?] $($first:expr $(, $rest:expr)*)? $(; $more:expr)?) => {
        concat!(
            r#"{"type":"object","properties":{"#, $($first, $(",", $rest,)*)? "}",
            $(r#","required":["#, $required, "]",)? $(",", $more,)? r#","additionalProperties":false}"#
        )
    };
}

/// The member `realm`.
macro_rules! realm {
    () => {
        r#""realm":{"type":"string","enum":["alpha","bravo"]}"#
    };
}

/// The body of a string schema that is one path segment: not blank, no separator, no dot-dot, neither plain nor encoded.
macro_rules! segment {
    () => {
        r#""type":"string","minLength":1,"not":{"pattern":"^\\s*$|[/\\\\]|\\.\\.|%2[EFef]|%5[Cc]"}"#
    };
}

/// The member `objectType`.
macro_rules! object_type {
    () => {
        r#""objectType":{"type":"string","minLength":1,"pattern":"^[A-Za-z0-9_-]+$"}"#
    };
}

/// The member `objectName`.
macro_rules! object_name {
    () => {
        r#""objectName":{"type":"string","pattern":"^[a-zA-Z0-9_]+$"}"#
    };
}

/// The members of one patch operation after `operation`, with the rule for `field`.
macro_rules! operations {
    ($kinds:literal, $field:literal $(, $more:literal)?) => {
        concat!(
            r#""operations":{"type":"array","items":{"type":"object","properties":{"#,
            r#""operation":{"type":"string","enum":["#, $kinds, r#"]},"field":{"type":"string","#, $field,
            r#"},"value":{"description":"Any JSON"}},"#,
            r#""required":["operation","field"],"additionalProperties":false}"#, $(",", $more,)? "}"
        )
    };
}

/// The members of a page request: its size, default and the cookie.
macro_rules! page {
    ($maximum:literal, $default:literal) => {
        concat!(
            r#""pageSize":{"type":"integer","minimum":1,"maximum":"#,
            $maximum,
            r#","default":"#,
            $default,
            "},",
            r#""pagedResultsCookie":{"type":"string","description":"Of the page before; null = end"}"#
        )
    };
}

/// A string with a description.
macro_rules! text {
    ($name:literal, $description:literal) => {
        concat!("\"", $name, r#"":{"type":"string","description":""#, $description, "\"}")
    };
}

/// A free-form object with a description.
macro_rules! object {
    ($name:literal, $description:literal) => {
        concat!("\"", $name, r#"":{"type":"object","description":""#, $description, "\"}")
    };
}

/// The member `journeyName`.
macro_rules! journey_name {
    () => {
        concat!(r#""journeyName":{"#, segment!(), "}")
    };
}

/// The member `nodeType`.
macro_rules! node_type {
    () => {
        concat!(r#""nodeType":{"#, segment!(), "}")
    };
}

/// The member `scriptId`.
macro_rules! script_id {
    () => {
        concat!(r#""scriptId":{"#, segment!(), "}")
    };
}

/// The member `themeIdentifier`.
macro_rules! theme_identifier {
    () => {
        concat!(r#""themeIdentifier":{"#, segment!(), r#","description":"_id or name"}"#)
    };
}

/// The member `variableId`, with the longest rest after `esv-`.
macro_rules! variable_id {
    ($longest:literal) => {
        concat!(r#""variableId":{"type":"string","minLength":1,"pattern":"^esv-[a-z0-9_-]{1,"#, $longest, r#"}$"}"#)
    };
}

/// The member `featureName`.
macro_rules! feature_name {
    () => {
        concat!(
            r#""featureName":{"type":"string","minLength":1,"maxLength":128,"#,
            r#""pattern":"^[a-zA-Z0-9_-]+(/[a-zA-Z0-9_-]+)*$"}"#
        )
    };
}

/// The members `entryNodeId` and `nodes` of a journey's graph, with further words for nodes, connections and config.
macro_rules! graph {
    ($nodes:literal, $connections:literal, $config:literal) => {
        concat!(
            r#""entryNodeId":{"type":"string"},"nodes":{"type":"object""#,
            $nodes,
            r#","additionalProperties":{"type":"object","properties":{"#,
            r#""nodeType":{"type":"string"},"displayName":{"type":"string"},"#,
            r#""connections":{"type":"object""#,
            $connections,
            r#","additionalProperties":{"type":"string"}},"#,
            r#""config":{"type":"object""#,
            $config,
            r#"}},"#,
            r#""required":["nodeType","displayName","connections","config"],"additionalProperties":false}}"#
        )
    };
    () => {
        graph!("", "", "")
    };
}

/// The member `name` of an application.
macro_rules! application_name {
    () => {
        r#""name":{"type":"string","minLength":1}"#
    };
}

/// The body of a string schema that is an RFC 3339 time, or empty for none.
macro_rules! time {
    () => {
        r#""type":"string","pattern":"^(\\d{4}(-\\d\\d){2}T\\d\\d(:\\d\\d){2}(\\.\\d+)?(Z|[+-]\\d\\d:\\d\\d))?$""#
    };
}

/// The member `identityResource`.
macro_rules! identity_resource {
    () => {
        r#""identityResource":{"type":"string","description":"e.g. managed/alpha_user"}"#
    };
}
