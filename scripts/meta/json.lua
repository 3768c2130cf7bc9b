---@meta gander.json
-- The host's exact JSON: 64-bit integers stay integers, doubles round-trip, [] and {} differ, UTF-8 is checked.
-- A table without a mark is an array when it has [1], else an object; members are written in byte order of their names.

---@class gander.json
---@field null lightuserdata JSON's null; a key whose value is nil is absent
local json = {}

---The table is an array from now on, even when it is empty.
---@generic T: table
---@param t T
---@return T
function json.array(t) end

---The table is an object from now on, even when it is empty.
---@generic T: table
---@param t T
---@return T
function json.object(t) end

---Raises on what JSON cannot hold (nan, functions, mixed keys, more than 64 levels), naming the place.
---@param v any
---@param opts? {pretty?: boolean, typed?: boolean} typed: a Date is {"$date": ms} instead of RFC 3339 text
---@return string
function json.encode(v, opts) end

---@param s string
---@param opts? {max_depth?: integer, typed?: boolean} max_depth 1 to 128, default 64
---@return any v
---@return string? message
---@return string? code "invalid"
function json.decode(s, opts) end

return json
