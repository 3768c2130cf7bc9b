---@meta gander.bus
-- Events by topic, for browsers (streams), waiting calls (await) and jobs.
-- SPDX-License-Identifier: Apache-2.0

---@class gander.bus
local bus = {}

--- Publish an event. The value is encoded once, here; readers get that text. With an `id` the
--- topic is counted by you: ids must grow, and a stream of it can go on after a restart through
--- its `replay`. Without one the bus counts.
---@param topic string "project:<id>", "user:<id>", "logs:<project>", "session:<id>", "all", "jobs"
---@param event string
---@param value any what `gander.json` can encode, at most 1 MiB of text
---@param id? integer
---@return integer? id its place in the topic
---@return string? message
---@return string? code "conflict": the id does not grow; "invalid": no JSON, or too big
function bus.publish(topic, event, value, id) end

--- The place "now" in a stream of these topics, as the opaque text of X-Gander-Event-Id. Take it
--- before reading the state it goes with: a stream opened after it then misses nothing.
---@param topics string[] 1 to 16
---@param ids? table<string, integer> by topic: the last id that the state holds, where that is known
---@return string
function bus.cursor(topics, ids) end

return bus
