-- Idempotency-Key: a request that creates, sent twice with one key, creates once and is answered alike for 24 hours.
--
-- The key is recorded first, with the id that what is created will have; so a crash after the act, or a second request
-- at the same time, meets the same id and finds it there. The answer is recorded when something was created; a refusal
-- created nothing, and frees its key. A key belongs to its address; bodies are compared by a keyed hash.
-- SPDX-License-Identifier: Apache-2.0
local date = require "gander.date"
local json = require "gander.json"
local sys = require "gander.sys"
local db = require "lib.store"

local M = {}

local KEEP_MS = 24 * 3600 * 1000
local KEY_MAX = 255
local TRIES = 3
local RULE = "must have 1 to " .. KEY_MAX .. " visible ASCII characters"

local function is_live(record)
  return record.at.ms > sys.now() - KEEP_MS
end

-- The record of the key, made now or earlier. -> record | nil, message, code
local function claim(id, digest)
  for _ = 1, TRIES do
    local made, message, code =
      db.idempotency:insert { _id = id, digest = digest, target = sys.uuid(), at = date(sys.now()) }
    if made or code ~= "conflict" then return made, message, code end
    local held, fault, kind = db.idempotency:find_one { _id = id }
    if fault then return nil, fault, kind end
    if held and is_live(held) then return held end
    if held then db.idempotency:delete { _id = id, target = held.target } end
  end
  return nil, "other requests use this Idempotency-Key now; try again", "busy"
end

-- Run the handler with req.new_id, and keep its answer.
local function run_recorded(req, handler, record)
  req.new_id = record.target
  local status, body, headers = handler(req)
  local mine = { _id = record._id, target = record.target, answer = { ["$exists"] = false } }
  if status >= 300 then
    if status < 500 then db.idempotency:delete(mine) end
    return status, body, headers
  end
  headers = headers or {}
  headers["Content-Type"] = "application/json; charset=utf-8"
  local answer = { status = status, body = json.encode(body), headers = headers }
  db.idempotency:update(mine, { ["$set"] = { answer = answer } })
  return status, answer.body, headers
end

-- Run the handler of a request that creates; it gives what it makes the id req.new_id, and takes one that is there
-- under it for its own. `fail` is app.fail. -> as the handler
function M.run(req, handler, fail)
  local key = req.headers["idempotency-key"]
  if not key then
    req.new_id = sys.uuid()
    return handler(req)
  elseif #key > KEY_MAX or not key:find "^[\x21-\x7e]+$" then
    return fail("invalid", "Idempotency-Key " .. RULE, {
      { field = "Idempotency-Key", rule = "key", message = RULE },
    })
  end
  local digest = sys.hmac(json.encode(req.given))
  local record, message, code = claim(sys.sha256(req.route .. "\n" .. req.path .. "\n" .. key), digest)
  if not record then
    return fail(code, "The Idempotency-Key cannot be recorded: " .. message)
  elseif record.digest ~= digest then
    return fail("conflict", "This Idempotency-Key was sent with another body; a new request needs a new key", {
      { field = "Idempotency-Key", rule = "same_body", reason = "idempotency_key_used" },
    })
  elseif record.answer then
    return record.answer.status, record.answer.body, record.answer.headers
  end
  return run_recorded(req, handler, record)
end

-- Forget keys older than 24 hours. -> how many | nil, message, code
function M.sweep()
  return db.idempotency:delete({ at = { ["$lte"] = date(sys.now() - KEEP_MS) } }, { many = true })
end

return M
