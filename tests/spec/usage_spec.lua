-- SPDX-License-Identifier: Apache-2.0
local usage = require "lib.goose.usage"

return {
  ["reads OpenAI's whole answer"] = function(t)
    t.eq(
      usage.read '{"id":"x","usage":{"prompt_tokens":12,"completion_tokens":3,"total_tokens":15,"details":{"a":1}}}',
      { input_tokens = 12, output_tokens = 3 }
    )
  end,

  ["reads the end of OpenAI's stream"] = function(t)
    local tail = 'ta"}}]}\n\ndata: {"choices":[],"usage":{"prompt_tokens":7,"completion_tokens":9}}\n\ndata: [DONE]\n\n'
    t.eq(usage.read(tail), { input_tokens = 7, output_tokens = 9 })
  end,

  ["reads Anthropic's stream, cache included, the last count standing"] = function(t)
    local tail = 'data: {"message":{"usage":{"input_tokens":10,"cache_read_input_tokens":5,"output_tokens":1}}}\n\n'
      .. 'data: {"type":"message_delta","usage":{"output_tokens":42}}\n\n'
    t.eq(usage.read(tail), { input_tokens = 15, output_tokens = 42 })
  end,

  ["counts nothing where nothing is told"] = function(t)
    t.eq(usage.read "", { input_tokens = 0, output_tokens = 0 })
    t.eq(usage.read '"usage":{"prompt_tokens":"many"}', { input_tokens = 0, output_tokens = 0 })
    t.eq(usage.read '"usage":{"prompt_tokens":5', { input_tokens = 0, output_tokens = 0 })
  end,
}
