//! What was posted to each channel, and what each subscription was given.

use std::collections::BTreeMap;

use checker::judge::{Family, FamilyKind};
use checker::replication::{Append, LogHistory};
use model::client::Operation;
use model::ids::{ChannelId, RequestKey};
use model::replication::broadcast::message::{Answer, Call, Observation};
use sim::node::NodeId;

use super::Replication;
use crate::recorder::subscriptions::Subscriptions;
use crate::system::{Parameters, Seen};

/// One channel at one node: the log itself counts as a reader.
type Place = (ChannelId, NodeId);

/// A family for each channel.
pub(super) fn record(parameters: &Parameters<Replication>, seen: &[Seen<Replication>]) -> Vec<Family> {
    let mut appends = appends(parameters.shape.channels.get_u32(), seen);
    let mut subscriptions = readers(parameters.shape.channels.get_u32(), seen);
    let complete_from = parameters.workload_end();
    let family = |id: u32| {
        let channel = ChannelId(id);
        let readers = subscriptions.remove(&channel).unwrap_or_default().finish(complete_from);
        let appends = appends.remove(&channel).unwrap_or_default().into_values().collect();
        Family { name: format!("channel-{id}"), kind: FamilyKind::Log(LogHistory { appends, readers }) }
    };
    (0..parameters.shape.channels.get_u32()).map(family).collect()
}

fn appends(
    channel_count: u32,
    seen: &[Seen<Replication>],
) -> BTreeMap<ChannelId, BTreeMap<RequestKey, Append>> {
    let mut appends: BTreeMap<ChannelId, BTreeMap<RequestKey, Append>> = BTreeMap::new();
    let mut channels = BTreeMap::new();
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Operation(Operation::Invoked { request, call: Call::Post { channel }, .. })
                if channel.0 < channel_count =>
            {
                let append = Append { entry: request.0, invoked_ns: at_ns, acknowledged_ns: None };
                appends.entry(*channel).or_default().insert(*request, append);
                channels.insert(*request, *channel);
            }
            Observation::Operation(Operation::Returned {
                request,
                answer: Some((_, Answer::Posted { .. })),
                ..
            }) => {
                let Some(channel) = channels.get(request) else { continue };
                if let Some(append) = appends.entry(*channel).or_default().get_mut(request) {
                    append.acknowledged_ns = Some(at_ns);
                }
            }
            _ => {}
        }
    }
    appends
}

fn readers(channel_count: u32, seen: &[Seen<Replication>]) -> BTreeMap<ChannelId, Subscriptions<Place>> {
    let mut channels: BTreeMap<ChannelId, Subscriptions<Place>> = BTreeMap::new();
    let mut starts: BTreeMap<Place, u32> = BTreeMap::new();
    let mut begin = |subscriptions: &mut Subscriptions<Place>, place: Place, one: &Seen<Replication>| {
        let start = starts.entry(place).or_default();
        *start += 1;
        let name = format!("{}, subscription {start}", place.1);
        subscriptions.begin(place, (name, place.1.0), one.at);
    };
    for one in seen {
        let at_ns = one.released_at.as_ns();
        match &one.observation {
            Observation::Started => {
                for channel in (0..channel_count).map(ChannelId) {
                    let subscriptions = channels.entry(channel).or_default();
                    subscriptions.end(&(channel, one.node));
                    // The log reads itself from its start on.
                    if one.node == super::LOG {
                        begin(subscriptions, (channel, one.node), one);
                    }
                }
            }
            Observation::Subscribed { channel } => {
                begin(channels.entry(*channel).or_default(), (*channel, one.node), one);
            }
            Observation::Unsubscribed { channel } => {
                channels.entry(*channel).or_default().end(&(*channel, one.node));
            }
            Observation::Logged { channel, from, entries }
            | Observation::Applied { channel, from, entries } => {
                let keys = entries.iter().map(|key| key.0);
                let subscriptions = channels.entry(*channel).or_default();
                subscriptions.deliver(&(*channel, one.node), from.0, keys, at_ns);
            }
            Observation::Operation(_) => {}
        }
    }
    channels
}
