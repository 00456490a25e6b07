//! The node types of the sandbox tenant: real names, attributes and outcomes; the words are ours.

use super::node_kinds::{Kind, NodeType, Outcomes};

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
    node(
        "AuthLevelDecisionNode",
        "Auth Level Decision",
        "utilities",
        &[("authLevelRequirement", Kind::Whole(0))],
        YES_NO,
    ),
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
        &[
            ("identifier", Kind::Choice(&["userName", "_id"])),
            ("identityAttribute", Kind::Choice(&["mail", "userName"])),
        ],
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
        &[
            ("secondsToWait", Kind::Whole(8)),
            ("spamDetectionEnabled", Kind::Flag(false)),
            ("exitable", Kind::Flag(false)),
        ],
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
        Outcomes::Fixed(&[
            ("socialAuthentication", "Social Authentication"),
            ("localAuthentication", "Local Authentication"),
        ]),
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
