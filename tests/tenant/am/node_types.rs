//! The node types of the sandbox tenant: real names, attributes and outcomes; the words are ours.

use serde_json::{Map, Value, json};

/// What an attribute takes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Kind {
    /// A text.
    Text,
    /// A text that must be there.
    Needed,
    /// A boolean.
    Flag(bool),
    /// A whole number.
    Whole(i64),
    /// A list of texts.
    Texts(&'static [&'static str]),
    /// One of these texts; the first is the default.
    Choice(&'static [&'static str]),
    /// An object of texts.
    Texted,
    /// A list of objects.
    Objects,
}

/// Where a type's outcomes come from.
#[derive(Debug, Clone, Copy)]
pub enum Outcomes {
    /// Always these: ids and display names.
    Fixed(&'static [(&'static str, &'static str)]),
    /// The texts of a list attribute.
    List(&'static str),
    /// Those of the children on a page.
    Page,
}

/// A node type.
#[derive(Debug, Clone, Copy)]
pub struct NodeType {
    /// Its id.
    pub id: &'static str,
    /// Its name.
    pub name: &'static str,
    /// Its tag.
    pub tag: &'static str,
    /// Its attributes.
    pub attributes: &'static [(&'static str, Kind)],
    /// Its outcomes.
    pub outcomes: Outcomes,
}

const ONE: Outcomes = Outcomes::Fixed(&[("outcome", "Outcome")]);
const YES_NO: Outcomes = Outcomes::Fixed(&[("true", "True"), ("false", "False")]);

const fn node(
    id: &'static str,
    name: &'static str,
    tag: &'static str,
    attributes: &'static [(&'static str, Kind)],
    outcomes: Outcomes,
) -> NodeType {
    NodeType { id, name, tag, attributes, outcomes }
}

/// All types, by id.
pub const TYPES: &[NodeType] = &[
    node("AcceptTermsAndConditionsNode", "Accept Terms and Conditions", "identity management", &[], ONE),
    node("AccountActiveDecisionNode", "Account Active Decision", "risk", &[], YES_NO),
    node("AccountLockoutNode", "Account Lockout", "risk", &[("lockAction", Kind::Choice(&["LOCK", "UNLOCK"]))], ONE),
    node(
        "AttributeCollectorNode",
        "Attribute Collector",
        "identity management",
        &[
            ("attributesToCollect", Kind::Texts(&[])),
            ("identityAttribute", Kind::Choice(&["userName", "mail"])),
            ("required", Kind::Flag(false)),
            ("validateInputs", Kind::Flag(false)),
        ],
        ONE,
    ),
    node(
        "AttributePresentDecisionNode",
        "Attribute Present Decision",
        "identity management",
        &[("presentAttribute", Kind::Needed), ("identityAttribute", Kind::Choice(&["userName", "mail"]))],
        YES_NO,
    ),
    node("AuthLevelDecisionNode", "Auth Level Decision", "utilities", &[("authLevelRequirement", Kind::Whole(0))], YES_NO),
    node(
        "ChoiceCollectorNode",
        "Choice Collector",
        "utilities",
        &[("choices", Kind::Texts(&["one", "two"])), ("defaultChoice", Kind::Text), ("prompt", Kind::Text)],
        Outcomes::List("choices"),
    ),
    node(
        "CreateObjectNode",
        "Create Object",
        "identity management",
        &[("identityResource", Kind::Text)],
        Outcomes::Fixed(&[("CREATED", "Created"), ("FAILURE", "Failed")]),
    ),
    node("DataStoreDecisionNode", "Data Store Decision", "basic authentication", &[], YES_NO),
    node("DebugNode", "Debug", "utilities", &[("popupEnabled", Kind::Flag(false))], ONE),
    node(
        "EmailSuspendNode",
        "Email Suspend Node",
        "identity management",
        &[
            ("emailTemplateName", Kind::Needed),
            ("emailAttribute", Kind::Choice(&["mail"])),
            ("emailSuspendMessage", Kind::Texted),
            ("identityAttribute", Kind::Choice(&["userName", "mail"])),
            ("objectLookup", Kind::Flag(false)),
        ],
        ONE,
    ),
    node(
        "EmailTemplateNode",
        "Email Template Node",
        "identity management",
        &[
            ("emailTemplateName", Kind::Needed),
            ("emailAttribute", Kind::Choice(&["mail"])),
            ("identityAttribute", Kind::Choice(&["userName", "mail"])),
        ],
        Outcomes::Fixed(&[("EMAIL_SENT", "Email Sent"), ("EMAIL_NOT_SENT", "Email Not Sent")]),
    ),
    node(
        "IdentifyExistingUserNode",
        "Identify Existing User",
        "identity management",
        &[("identifier", Kind::Choice(&["userName", "_id"])), ("identityAttribute", Kind::Choice(&["mail", "userName"]))],
        YES_NO,
    ),
    node(
        "IdentityStoreDecisionNode",
        "Identity Store Decision",
        "basic authentication",
        &[
            ("minimumPasswordLength", Kind::Whole(8)),
            ("mixedCaseForPasswordChangeMessages", Kind::Flag(false)),
            ("useUniversalIdForUsername", Kind::Flag(true)),
        ],
        Outcomes::Fixed(&[
            ("TRUE", "True"),
            ("FALSE", "False"),
            ("LOCKED", "Locked"),
            ("CANCELLED", "Cancelled"),
            ("EXPIRED", "Expired"),
        ]),
    ),
    node(
        "IncrementLoginCountNode",
        "Increment Login Count",
        "identity management",
        &[("identityAttribute", Kind::Choice(&["userName", "mail"]))],
        ONE,
    ),
    node(
        "InnerTreeEvaluatorNode",
        "Inner Tree Evaluator",
        "utilities",
        &[("tree", Kind::Needed), ("displayErrorOutcome", Kind::Flag(false))],
        YES_NO,
    ),
    node(
        "KbaCreateNode",
        "KBA Definition",
        "identity management",
        &[("message", Kind::Texted), ("allowUserDefinedQuestions", Kind::Flag(true))],
        ONE,
    ),
    node(
        "LoginCountDecisionNode",
        "Login Count Decision",
        "identity management",
        &[
            ("amount", Kind::Whole(25)),
            ("interval", Kind::Choice(&["AT", "EVERY"])),
            ("identityAttribute", Kind::Choice(&["userName", "mail"])),
        ],
        YES_NO,
    ),
    node(
        "MessageNode",
        "Message Node",
        "utilities",
        &[
            ("message", Kind::Texted),
            ("messageYes", Kind::Texted),
            ("messageNo", Kind::Texted),
            ("stateField", Kind::Text),
        ],
        YES_NO,
    ),
    node("ModifyAuthLevelNode", "Modify Auth Level", "utilities", &[("authLevelIncrement", Kind::Whole(0))], ONE),
    node(
        "PageNode",
        "Page Node",
        "utilities",
        &[
            ("nodes", Kind::Objects),
            ("pageHeader", Kind::Texted),
            ("pageDescription", Kind::Texted),
            ("stage", Kind::Text),
        ],
        Outcomes::Page,
    ),
    node("PasswordCollectorNode", "Password Collector", "basic authentication", &[], ONE),
    node(
        "PatchObjectNode",
        "Patch Object",
        "identity management",
        &[
            ("identityResource", Kind::Text),
            ("identityAttribute", Kind::Choice(&["userName", "mail"])),
            ("ignoredFields", Kind::Texts(&[])),
            ("patchAsObject", Kind::Flag(false)),
        ],
        Outcomes::Fixed(&[("PATCHED", "Patched"), ("FAILURE", "Failed")]),
    ),
    node(
        "PollingWaitNode",
        "Polling Wait Node",
        "utilities",
        &[("secondsToWait", Kind::Whole(8)), ("spamDetectionEnabled", Kind::Flag(false)), ("exitable", Kind::Flag(false))],
        Outcomes::Fixed(&[("DONE", "Done")]),
    ),
    node(
        "QueryFilterDecisionNode",
        "Query Filter Decision",
        "identity management",
        &[("queryFilter", Kind::Needed), ("identityAttribute", Kind::Choice(&["userName", "mail"]))],
        YES_NO,
    ),
    node(
        "RetryLimitDecisionNode",
        "Retry Limit Decision",
        "utilities",
        &[("retryLimit", Kind::Whole(3)), ("incrementUserAttributeOnFailure", Kind::Flag(true))],
        Outcomes::Fixed(&[("Retry", "Retry"), ("Reject", "Reject")]),
    ),
    node(
        "ScriptedDecisionNode",
        "Scripted Decision",
        "utilities",
        &[
            ("script", Kind::Needed),
            ("outcomes", Kind::Texts(&[])),
            ("inputs", Kind::Texts(&["*"])),
            ("outputs", Kind::Texts(&["*"])),
        ],
        Outcomes::List("outcomes"),
    ),
    node(
        "SelectIdPNode",
        "Select Identity Provider",
        "federation",
        &[
            ("includeLocalAuthentication", Kind::Flag(true)),
            ("filteredProviders", Kind::Texts(&[])),
            ("offerOnlyExisting", Kind::Flag(false)),
            ("identityAttribute", Kind::Choice(&["mail", "userName"])),
            ("passwordAttribute", Kind::Choice(&["password"])),
        ],
        Outcomes::Fixed(&[("socialAuthentication", "Social Authentication"), ("localAuthentication", "Local Authentication")]),
    ),
    node("SetFailureUrlNode", "Failure URL", "utilities", &[("failureUrl", Kind::Text)], ONE),
    node("SetSessionPropertiesNode", "Set Session Properties", "utilities", &[("properties", Kind::Texted)], ONE),
    node("SetStateNode", "Set State", "utilities", &[("attributes", Kind::Texted)], ONE),
    node("SetSuccessUrlNode", "Success URL", "utilities", &[("successUrl", Kind::Text)], ONE),
    node("TimerStartNode", "Timer Start", "metrics", &[("startTimeProperty", Kind::Text)], ONE),
    node("UsernameCollectorNode", "Username Collector", "basic authentication", &[], ONE),
    node(
        "ValidatedPasswordNode",
        "Platform Password",
        "identity management",
        &[("passwordAttribute", Kind::Choice(&["password"])), ("validateInput", Kind::Flag(false))],
        ONE,
    ),
    node(
        "ValidatedUsernameNode",
        "Platform Username",
        "identity management",
        &[
            ("usernameAttribute", Kind::Choice(&["userName", "mail"])),
            ("validateInput", Kind::Flag(false)),
            ("prepopulate", Kind::Flag(false)),
            ("autocompleteValues", Kind::Texts(&[])),
        ],
        ONE,
    ),
];

/// Finds a type.
pub fn find(id: &str) -> Option<&'static NodeType> {
    TYPES.iter().find(|known| known.id == id)
}

impl Kind {
    /// Tells whether a value fits.
    pub fn fits(self, value: &Value) -> bool {
        let texts = |value: &Value| value.as_array().is_some_and(|items| items.iter().all(Value::is_string));
        match self {
            Self::Text => value.is_string() || value.is_null(),
            Self::Needed => value.as_str().is_some_and(|text| !text.is_empty()),
            Self::Flag(_) => value.is_boolean(),
            Self::Whole(_) => value.is_i64(),
            Self::Texts(_) => texts(value),
            // A list of choices is a proposal: AM takes any text there.
            Self::Choice(_) => value.is_string(),
            Self::Texted => value.as_object().is_some_and(|members| members.values().all(Value::is_string)),
            Self::Objects => value.as_array().is_some_and(|items| items.iter().all(Value::is_object)),
        }
    }

    /// Returns the default; none for what is absent or must be given.
    pub fn default(self) -> Option<Value> {
        match self {
            Self::Text | Self::Needed => None,
            Self::Flag(value) => Some(json!(value)),
            Self::Whole(value) => Some(json!(value)),
            Self::Texts(values) => Some(json!(values)),
            Self::Choice(values) => values.first().map(|value| json!(value)),
            Self::Texted => Some(json!({})),
            Self::Objects => Some(json!([])),
        }
    }

    fn schema(self) -> Map<String, Value> {
        let schema = match self {
            Self::Text | Self::Needed => json!({"type": "string"}),
            Self::Choice(values) => json!({"type": "string", "enum": values, "enumNames": values}),
            Self::Flag(_) => json!({"type": "boolean"}),
            Self::Whole(_) => json!({"type": "integer"}),
            Self::Texts(_) => json!({"type": "array", "items": {"type": "string"}}),
            Self::Texted => json!({"type": "object", "patternProperties": {".*": {"type": "string"}}}),
            Self::Objects => json!({"type": "array", "items": {"type": "object"}}),
        };
        schema.as_object().cloned().unwrap_or_default()
    }
}

impl NodeType {
    /// The type as `getAllTypes` lists it.
    pub fn summary(&self) -> Value {
        json!({
            "_id": self.id, "name": self.name, "collection": true, "tags": [self.tag],
            "metadata": {"tags": [self.tag]}, "help": format!("{} step of a sandbox journey.", self.name),
        })
    }

    /// The JSON schema of a node's attributes.
    pub fn schema(&self) -> Value {
        let property = |(at, (name, kind)): (usize, &(&str, Kind))| {
            let mut schema = kind.schema();
            schema.insert("title".to_owned(), json!(name));
            schema.insert("description".to_owned(), json!(format!("Sets {name} of the step.")));
            schema.insert("propertyOrder".to_owned(), json!((at + 1) * 100));
            schema.insert("exampleValue".to_owned(), json!(""));
            if let Some(default) = kind.default() {
                schema.insert("default".to_owned(), default);
            }
            ((*name).to_owned(), Value::Object(schema))
        };
        let properties: Map<String, Value> = self.attributes.iter().enumerate().map(property).collect();
        let optional = |kind: &Kind| matches!(kind, Kind::Text);
        let required: Vec<&str> = self.attributes.iter().filter(|(_, kind)| !optional(kind)).map(|(name, _)| *name).collect();
        if properties.is_empty() {
            return json!({"type": "object", "required": required});
        }
        json!({"type": "object", "properties": properties, "required": required})
    }

    /// The attributes that a fresh node has.
    pub fn template(&self) -> Map<String, Value> {
        let defaults = self.attributes.iter().filter_map(|(name, kind)| Some(((*name).to_owned(), kind.default()?)));
        defaults.collect()
    }

    /// The outcomes of a node with these attributes.
    pub fn outcomes(&self, attributes: &Map<String, Value>) -> Value {
        let pair = |id: &str, name: &str| json!({"id": id, "displayName": name});
        match self.outcomes {
            Outcomes::Fixed(pairs) => pairs.iter().map(|(id, name)| pair(id, name)).collect(),
            Outcomes::List(name) => {
                let list = attributes.get(name).and_then(Value::as_array);
                list.into_iter().flatten().filter_map(Value::as_str).map(|text| pair(text, text)).collect()
            }
            Outcomes::Page => self.page_outcomes(attributes),
        }
    }

    /// A page has the outcomes of its one child that has several, else one.
    fn page_outcomes(&self, attributes: &Map<String, Value>) -> Value {
        let children = attributes.get("nodes").and_then(Value::as_array).into_iter().flatten();
        let several = |child: &Value| {
            let kind = find(child.get("nodeType")?.as_str()?).filter(|kind| kind.id != self.id)?;
            let outcomes = kind.outcomes(child.as_object()?);
            outcomes.as_array().is_some_and(|all| all.len() > 1).then_some(outcomes)
        };
        children.filter_map(several).next().unwrap_or_else(|| json!([{"id": "outcome", "displayName": "Outcome"}]))
    }
}
