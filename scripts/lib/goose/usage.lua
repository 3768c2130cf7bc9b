-- Token counts in the answers of model providers, whole or streamed. Pure.
-- SPDX-License-Identifier: Apache-2.0
local json = require "gander.json"

local M = {}

local function count(value)
  local n = math.tointeger(value)
  return n and n >= 0 and n <= 1 << 40 and n or nil
end

-- OpenAI says prompt_tokens and completion_tokens (or input_ and output_tokens on /v1/responses), Anthropic the latter,
-- with what came from its cache apart.
local function read_object(text)
  local seen = json.decode(text)
  if type(seen) ~= "table" then return nil end
  local input = count(seen.prompt_tokens) or count(seen.input_tokens)
  if input and not seen.prompt_tokens then
    input = input + (count(seen.cache_read_input_tokens) or 0) + (count(seen.cache_creation_input_tokens) or 0)
  end
  local output = count(seen.completion_tokens) or count(seen.output_tokens)
  return (input or output) and { input_tokens = input, output_tokens = output } or nil
end

-- {input_tokens, output_tokens} from the end of an answer; zeros when it names none. Counts of a stream grow, so the
-- last one of each kind stands.
function M.read(tail)
  local total = { input_tokens = 0, output_tokens = 0 }
  for at in tail:gmatch '"usage"%s*:%s*(){' do
    local object = tail:match("^%b{}", at)
    local seen = object and read_object(object)
    if seen then
      total.input_tokens = seen.input_tokens or total.input_tokens
      total.output_tokens = seen.output_tokens or total.output_tokens
    end
  end
  return total
end

return M
