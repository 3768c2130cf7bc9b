---@meta lib.store
-- The store: `local db = require "lib.store"`. A named subset of MongoDB's operators on documents.
-- On an SQLite file (`<data>/gander.db`) without MONGODB_URI.
-- SPDX-License-Identifier: Apache-2.0

---Collections by name; another name raises. They are declared in `scripts/lib/collections.lua`.
---@class store
---@field kind "sqlite"
---@field projects collection
---@field sandbox_logs collection
---@field sessions collection
---@field session_messages collection
---@field jobs collection
---@field activity collection
---@field decisions collection
---@field scripts_history collection
---@field scripts_texts collection
---@field installation collection
---@field nodes collection
---@field caps collection
---@field counters collection
---@field events collection
---@field idempotency collection
---@field usage collection
local store = {}

---Another store in a file of its own, with collections of its own if given. It closes with `<close>`.
---@param path string
---@param collections? table<string, table> as `lib.collections`
---@return store? store
---@return string? message
---@return string? code
function store.open(path, collections) end

---Can the store be used? Opens it when that was not done yet.
---@return true?
---@return string? message
---@return string? code
function store.ready() end

---Close the file; the next use opens it again.
function store.close() end

---A document: a table by field name with an `_id`, a string (an integer in `events` and `scripts_history`). Values are
---what gander.json holds, and Date. Field names hold no dot and do not start with `$`.
---@alias document table<string, any>

---Conditions by (dotted) field name, all of which must hold: a value (equal to it), or a table of operators
---`$eq $ne $gt $gte $lt $lte $in $nin $exists $prefix $contains`; besides, `$and` and `$or` with a list of queries.
---Comparisons hold within one type. A condition on an array holds when it holds for one of its items. null equals what
---is missing. `$prefix` keeps case, `$contains` folds that of ASCII letters. Others raise, by name.
---@alias query table<string, any>

---Operators, each with a table by (dotted) field name: `$set $unset $inc $min $max $push $pull $setOnInsert`. `$pull`
---removes items equal to the value. Two changes of one path raise.
---@alias update table<string, table<string, any>>

---One collection. Misuse raises at the line that called; what the document does not allow (`$inc` on a string) is nil,
---message, "invalid"; a unique value that is taken is nil, message, "conflict".
---@class collection
local collection = {}

---@class find_one_options
---@field sort? string[] field names, "-" before one for descending; ended by _id in the last one's direction
---@field fields? string[] what to keep, with _id

---@param q query
---@param options? find_one_options
---@return document? doc nil alone: there is none
---@return string? message
---@return string? code
function collection:find_one(q, options) end

---@class find_options: find_one_options
---@field limit? integer 1 to 10000; without one, more than 10000 documents are "invalid"
---@field after? string the cursor that the page before gave; one of another list is "invalid"

---All that match, in order: by `sort`, else by _id. A sort with limit or after uses declared fields that every document
---has; others raise. A page never skips or repeats a document that was there all along.
---@param q query
---@param options? find_options
---@return document[]? docs
---@return string? next the cursor of the next page, nil when there is none; or a message
---@return string? code
function collection:find(q, options) end

---@param q query
---@return integer? n
---@return string? message
---@return string? code
function collection:count(q) end

---@param doc document
---@return document? doc as it was stored
---@return string? message
---@return string? code
function collection:insert(doc) end

---@class update_options
---@field upsert? boolean insert what the query says it must equal, changed by the update, when nothing matches
---@field many? boolean all that match, one after the other; may not touch a unique field

---Change the first document by _id that matches. Compare-and-set: `{_id = id, _rev = rev}` with `["$inc"] = {_rev = 1}`;
---0 means that the race was lost.
---@param q query
---@param u update
---@param options? update_options
---@return integer? n how many matched (an inserted one counts)
---@return string? message
---@return string? code
function collection:update(q, u, options) end

---@param q query
---@param options? {many?: boolean}
---@return integer? n how many are gone
---@return string? message
---@return string? code
function collection:delete(q, options) end

---Change the first document in order that matches, and get it as it is afterwards.
---@param q query
---@param u update
---@param options? {sort?: string[]}
---@return document? doc nil alone: none matched
---@return string? message
---@return string? code
function collection:find_and_update(q, u, options) end

return store
