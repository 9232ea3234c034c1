//! The life of a sanction: it is applied, persisted and removed.

use std::sync::Arc;

use chat_proto::{Channel, Nick, Text, Timestamp};

use super::text::{log_set, network_ban};
use crate::chat::batch::Batch;
use crate::chat::effect::{Effect, NetworkBan};
use crate::chat::moderation::{Sanction, Scope, Target};
use crate::chat::registry::Registry;
use crate::chat::registry::types::UserKey;
use crate::chat::state_change::{ChangeKey, StateChange};
use crate::chat::token::Digest;
use crate::ip::IpBlock;

impl Registry {
    pub(in crate::chat::registry) fn new_sanction(
        &mut self,
        scope: Scope,
        target: Target,
        by: Option<&Nick>,
        seconds: Option<u64>,
        reason: Option<&Text>,
    ) -> Sanction {
        Sanction {
            number: self.moderation.sanctions.next(),
            scope,
            target,
            token_digest: None,
            by: by.map(|by| by.as_str().into()),
            reason: reason.map(|reason| reason.as_str().into()),
            set: self.now,
            until: seconds.map(|seconds| {
                let millis = i64::try_from(seconds)
                    .unwrap_or(i64::MAX)
                    .saturating_mul(1000);
                Timestamp::from_millis(self.now.as_millis().saturating_add(millis))
            }),
            is_persistent: true,
        }
    }

    /// Applies a sanction, which replaces one with an equal scope and target. It follows the user
    /// `holder` under any nick.
    pub(in crate::chat::registry) fn apply(
        &mut self,
        mut sanction: Sanction,
        holder: Option<UserKey>,
        out: &mut Batch,
    ) {
        log_set(&sanction);
        let earlier = self
            .moderation
            .sanctions
            .get(&sanction.scope, &sanction.target);
        if let Some(number) = earlier.map(|earlier| earlier.number) {
            self.remove_sanction(number, out);
        }
        if let Some(user) = holder {
            sanction.token_digest = Some(self.users[user].token.digest());
        }
        if let (Scope::Server, Target::Network(network)) = (&sanction.scope, &sanction.target) {
            out.push(Effect::BanNetwork {
                network: *network,
                ban: Box::new(network_ban(&sanction)),
            });
        }
        let sanction = Arc::new(sanction);
        self.save_sanction(&sanction);
        self.moderation.sanctions.insert(sanction, holder);
    }

    /// Adds a sanction of the process before, and returns the ban of its network. Called before the
    /// first request.
    pub fn restore_sanction(&mut self, sanction: Sanction) -> Option<(IpBlock, NetworkBan)> {
        let barred = match (&sanction.scope, &sanction.target) {
            (Scope::Server, Target::Network(network)) => Some((*network, network_ban(&sanction))),
            _ => None,
        };
        self.moderation.sanctions.insert(Arc::new(sanction), None);
        barred
    }

    fn save_sanction(&mut self, sanction: &Arc<Sanction>) {
        if sanction.is_persistent {
            let change = StateChange::SanctionSaved(sanction.clone());
            self.changes
                .queue(ChangeKey::Sanction(sanction.number), change);
        }
    }

    /// Makes the bans of a channel permanent.
    pub(in crate::chat::registry) fn persist_sanctions_of(&mut self, channel: &Channel) {
        for sanction in self.moderation.sanctions.make_persistent(channel) {
            self.save_sanction(&sanction);
        }
    }

    /// Moves the sanctions of a token to another token.
    pub(in crate::chat::registry) fn move_sanctions(&mut self, before: Digest, now: Digest) {
        for sanction in self.moderation.sanctions.move_token(before, now) {
            self.save_sanction(&sanction);
        }
    }

    pub(in crate::chat::registry) fn remove_sanction(
        &mut self,
        number: u64,
        out: &mut Batch,
    ) -> Option<Arc<Sanction>> {
        let sanction = self.moderation.sanctions.remove(number)?;
        self.queue_removal(&sanction);
        if let (Scope::Server, Target::Network(network)) = (&sanction.scope, &sanction.target) {
            out.push(Effect::UnbanNetwork { network: *network });
        }
        Some(sanction)
    }

    fn queue_removal(&mut self, sanction: &Sanction) {
        if sanction.is_persistent {
            let number = sanction.number;
            self.changes.forget_sanction(number);
        }
    }

    /// Removes the sanctions of a channel, or only the temporary ones.
    pub(in crate::chat::registry) fn remove_sanctions_of(
        &mut self,
        channel: &Channel,
        with_persistent: bool,
    ) {
        for number in self
            .moderation
            .sanctions
            .end_channel(channel, with_persistent)
        {
            self.changes.forget_sanction(number);
        }
    }

    /// Removes expired sanctions.
    pub(in crate::chat::registry) fn expire_sanctions(&mut self, out: &mut Batch) {
        self.moderation.sanctions.reclaim();
        for sanction in self.moderation.sanctions.expire(self.now) {
            self.queue_removal(&sanction);
            if let (Scope::Server, Target::Network(network)) = (&sanction.scope, &sanction.target) {
                out.push(Effect::UnbanNetwork { network: *network });
            }
        }
    }
}
