//! One dialog of the eras with `initialize`: shown by a request to the client, withdrawn when it is no longer needed.

use rmcp::model::{
    CancelledNotificationParam, ClientResult, CustomNotification, ElicitRequest, ElicitRequestParams,
    ElicitationAction, ElicitationSchema, RequestId, ServerNotification, ServerRequest,
};
use rmcp::service::{PeerRequestOptions, ServiceError};
use rmcp::{Peer, RoleServer};
use serde_json::json;
use tokio::sync::oneshot;

use super::dialog::Dialog;

type Answer = Result<ClientResult, ServiceError>;

/// What the client said to a dialog.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Said {
    /// The person goes on; the sign-in itself is still to come.
    Accepted,
    /// The person refused, or closed the dialog.
    Declined,
    /// The client cannot show dialogs after all.
    Nonsense,
}

/// A dialog on the client's screen, as far as the client says.
#[derive(Debug)]
pub(super) struct Open {
    peer: Peer<RoleServer>,
    id: RequestId,
    answer: Option<oneshot::Receiver<Answer>>,
    said: Option<Said>,
    elicitation: Option<String>,
}

impl Open {
    /// Asks the client to show a dialog; `None` when it cannot be asked.
    pub(super) async fn show(peer: &Peer<RoleServer>, dialog: Dialog, flow: &str) -> Option<Self> {
        let elicitation = matches!(dialog, Dialog::Url { .. }).then(|| flow.to_owned());
        let request = ServerRequest::ElicitRequest(ElicitRequest::new(params(dialog, flow.to_owned())));
        let handle = peer.send_cancellable_request(request, PeerRequestOptions::no_options()).await.ok()?;
        Some(Self { peer: peer.clone(), id: handle.id, answer: Some(handle.rx), said: None, elicitation })
    }

    /// What the client says, once; without a dialog or after its answer this waits for ever.
    pub(super) async fn said(open: &mut Option<Self>) -> Said {
        match open.as_mut() {
            Some(open) => open.answered().await,
            None => std::future::pending().await,
        }
    }

    async fn answered(&mut self) -> Said {
        let Some(answer) = self.answer.as_mut() else { return std::future::pending().await };
        let said = judge(answer.await.unwrap_or(Err(ServiceError::TransportClosed)));
        self.answer = None;
        self.said = Some(said);
        said
    }

    /// Ends the dialog: withdraws it when it is still open, says that it is complete when the person followed it.
    ///
    /// Returns whether it was never answered by a person.
    pub(super) async fn close(self, signed_in: bool) -> bool {
        match (self.said, self.elicitation) {
            (None, _) => {
                let reason = Some("no longer needed".to_owned());
                let _ = self.peer.notify_cancelled(CancelledNotificationParam::new(Some(self.id), reason)).await;
            }
            (Some(Said::Accepted), Some(elicitation)) if signed_in => {
                let complete = CustomNotification::new(
                    "notifications/elicitation/complete",
                    Some(json!({ "elicitationId": elicitation })),
                );
                let _ = self.peer.send_notification(ServerNotification::CustomNotification(complete)).await;
            }
            _ => {}
        }
        matches!(self.said, None | Some(Said::Nonsense))
    }
}

fn judge(answer: Answer) -> Said {
    match answer {
        Ok(ClientResult::ElicitResult(result)) => match result.action {
            ElicitationAction::Accept => Said::Accepted,
            _ => Said::Declined,
        },
        _ => Said::Nonsense,
    }
}

/// The dialog in MCP's words. The form has no fields: it is a text with buttons.
pub(super) fn params(dialog: Dialog, elicitation_id: String) -> ElicitRequestParams {
    match dialog {
        Dialog::Url { message, url } => {
            ElicitRequestParams::UrlElicitationParams { meta: None, message, url, elicitation_id }
        }
        Dialog::Form { message } => ElicitRequestParams::FormElicitationParams {
            meta: None,
            message,
            requested_schema: ElicitationSchema::new(std::collections::BTreeMap::new()),
        },
    }
}
