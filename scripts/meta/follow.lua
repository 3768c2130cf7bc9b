---@meta gander.follow
-- Keep reading a file or an HTTP stream, and hand what comes to a job in batches. A follow belongs
-- to the host: it survives reloads, but not a restart; start it again at the cursor you stored.
-- SPDX-License-Identifier: Apache-2.0

---@class gander.follow
local follow = {}

---@class gander.follow.File
---@field file string its path; it need not be there yet
---@field offset? integer where to start; the same as `cursor`

---@class gander.follow.Request
---@field url string http:// or https://
---@field method? string
---@field headers? table<string, string|string[]>
---@field body? string
---@field body_file? string
---@field connect_ms? integer default 5000
---@field idle_ms? integer without a byte for so long the connection counts as lost, default 60000
---@field unix? string
---@field netns? gander.Process its network is held on to, not the process
---@field ca? string

---@class gander.follow.Http
---@field http gander.follow.Request
---@field resume? "last-event-id"|"after"|"replay" by header, by `?after=`, or the upstream begins anew and what was seen is passed over; without, the follow ends with the answer

---@class gander.follow.Spec
---@field key string names the follow, at most 200 bytes
---@field source gander.follow.File|gander.follow.Http
---@field format "lines"|"ndjson"|"sse"|"frames"|"chunks"
---@field cursor? any where to go on: a cursor that a batch carried
---@field topic? string publish each item there at once; with sse under the upstream's event and id
---@field job? string default "collect": jobs/collect, function batch
---@field data? table for the job
---@field batch_ms? integer default 100
---@field batch_max? integer default 200
---@field punch? boolean free the file's blocks once delivered; its offsets stay

---@class gander.follow.Batch what jobs/<job>#batch is called with
---@field key string
---@field data table
---@field items table[] lines, frames, chunks: {at, text, stream?, cut?}; sse: {event, id?, data}; ndjson: the values
---@field cursor? any after the last item: store it with them
---@field ended boolean nothing comes any more
---@field error? string why it ended or cannot connect

--- Begin to follow. Each batch goes to `jobs/<job>#batch`; one that fails is given again, before
--- anything newer. The job may return {stop=true}.
---@param spec gander.follow.Spec
---@return boolean? true
---@return string? message
---@return string? code "conflict": the key is followed already; "busy": it is still ending; "invalid"; "not_found"
function follow.start(spec) end

--- Read what a file has by now, deliver it with `ended`, then forget the key.
---@param key string
---@param options? {wait_ms?: integer} wait until that is done; not from the job itself
---@return boolean? true, or nil when there is none
---@return string? message
---@return string? code "timeout"
function follow.stop(key, options) end

--- What is followed now: {key, source, format, job, state, pending, tries, cursor?, error?}.
---@return table[]
function follow.list() end

return follow
