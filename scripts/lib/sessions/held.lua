-- Text that streams in pieces is redacted across the pieces: the end of what came is held back while it may be the
-- beginning of a secret, and goes in front of the next piece.
--
-- In the store the held end lies sealed in the message's `held`; in memory it is `tail` with its `tail_kind`, and
-- `last_delta` is the event of this batch that it was cut from.
-- SPDX-License-Identifier: Apache-2.0
local sys = require "gander.sys"
local clean = require "lib.sessions.clean"

local M = {}

local KIND = { message_delta = "text", thought_delta = "thought" }

function M.open(message)
  if message.held then
    message.tail, message.tail_kind = sys.unseal(message.held) or "", message.held_kind
  end
end

function M.close(message)
  if message.tail and message.tail ~= "" then
    message.held, message.held_kind = sys.seal(message.tail), message.tail_kind
  else
    message.held, message.held_kind = nil, nil
  end
  message.tail, message.tail_kind, message.last_delta = nil, nil, nil
end

-- The held end goes into the stored text, and into the delta it was cut from if that was not sent yet: nothing more of
-- its kind follows. A delta that was sent stays short; the `message` event that ends it has the whole text.
function M.flush(message, redactor)
  local last = message.parts[#message.parts]
  if message.tail and message.tail ~= "" and last and last.type == message.tail_kind then
    local text = redactor:text(message.tail)
    last.text = clean.cut(last.text .. text, clean.TEXT)
    local delta = message.last_delta
    if delta then delta.data.text = delta.data.text .. text end
  end
  message.tail, message.tail_kind, message.last_delta = nil, nil, nil
end

-- Before an event is folded into a message: redact the text of a delta and hold back its end; anything else flushes.
function M.take(message, event, redactor)
  local kind = KIND[event.type]
  if event.seq <= message.event_seq then
    event.data.text = kind and redactor:text(clean.text(event.data.text, clean.TEXT) or "")
    return
  end
  if not kind or (message.tail_kind and message.tail_kind ~= kind) then M.flush(message, redactor) end
  if kind then
    local text = (message.tail or "") .. (clean.text(event.data.text, clean.TEXT) or "")
    event.data.text, message.tail = redactor:split(text)
    message.tail_kind, message.last_delta = kind, event
  end
end

return M
