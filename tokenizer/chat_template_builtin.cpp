// The built-in templates: how models wanted their conversations before files said so themselves.
// Each row is written from the format that the model's makers published; a test holds it to their
// example. Where a format has no place for a system prompt, it is put before the first question, as
// the makers advise.
#include <algorithm>

#include "tokenizer/chat_template.h"

namespace hearth {
namespace {

struct Row {
  std::string_view name;
  std::string_view source;
};

constexpr Row kTemplates[] = {
    // Stanford Alpaca, and the many that were tuned on data of its shape.
    {"alpaca", R"({% for message in messages %}
{% if message.role == 'system' %}
{{ message.content }}

{% elif message.role == 'user' %}
### Instruction:
{{ message.content }}

{% else %}
### Response:
{{ message.content }}{{ eos_token }}

{% endif %}
{% endfor %}
{% if add_generation_prompt %}
### Response:
{% endif %}

)"},

    // OpenAI's Chat Markup Language: Qwen, Hermes, Yi and others.
    {"chatml", R"({% for message in messages %}
<|im_start|>{{ message.role }}
{{ message.content }}<|im_end|>
{% endfor %}
{% if add_generation_prompt %}
<|im_start|>assistant
{% endif %}

)"},

    // DeepSeek LLM and Coder V1/V2 chat.
    {"deepseek", R"({{ bos_token }}
{%- for message in messages %}
{%- if message.role == 'user' %}
{{- 'User: ' ~ message.content ~ '\n\n' }}
{%- elif message.role == 'assistant' %}
{{- 'Assistant: ' ~ message.content ~ eos_token }}
{%- else %}
{{- message.content ~ '\n\n' }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- 'Assistant:' }}
{%- endif %})"},

    // Google Gemma 1 to 3: the assistant is called model.
    {"gemma", R"({{ bos_token }}
{%- set ns = namespace(system='') %}
{%- for message in messages %}
{%- if message.role == 'system' %}
{%- set ns.system = message.content ~ '\n\n' %}
{%- else %}
{{- '<start_of_turn>' ~ ('model' if message.role == 'assistant' else message.role) ~ '\n' }}
{{- ns.system ~ message.content | trim ~ '<end_of_turn>\n' }}
{%- set ns.system = '' %}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<start_of_turn>model\n' }}
{%- endif %})"},

    // Meta Llama 2 chat: every question and answer is a sequence of its own.
    {"llama2", R"({%- set ns = namespace(system='') %}
{%- for message in messages %}
{%- if message.role == 'system' %}
{%- set ns.system = '<<SYS>>\n' ~ message.content ~ '\n<</SYS>>\n\n' %}
{%- elif message.role == 'user' %}
{{- bos_token ~ '[INST] ' ~ ns.system ~ message.content | trim ~ ' [/INST]' }}
{%- set ns.system = '' %}
{%- else %}
{{- ' ' ~ message.content | trim ~ ' ' ~ eos_token }}
{%- endif %}
{%- endfor %})"},

    // Meta Llama 3 instruct.
    {"llama3", R"({{ bos_token }}
{%- for message in messages %}
{{- '<|start_header_id|>' ~ message.role ~ '<|end_header_id|>\n\n' }}
{{- message.content | trim ~ '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
{{- '<|start_header_id|>assistant<|end_header_id|>\n\n' }}
{%- endif %})"},

    // Mistral 7B and Mixtral instruct.
    {"mistral", R"({{ bos_token }}
{%- set ns = namespace(system='') %}
{%- for message in messages %}
{%- if message.role == 'system' %}
{%- set ns.system = message.content ~ '\n\n' %}
{%- elif message.role == 'user' %}
{{- '[INST] ' ~ ns.system ~ message.content ~ ' [/INST]' }}
{%- set ns.system = '' %}
{%- else %}
{{- ' ' ~ message.content ~ eos_token }}
{%- endif %}
{%- endfor %})"},

    // Microsoft Phi-3 and Phi-3.5.
    {"phi3", R"({% for message in messages %}
<|{{ message.role }}|>
{{ message.content }}<|end|>
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}

)"},

    // LMSYS Vicuna 1.1 and 1.5.
    {"vicuna", R"({{ bos_token }}
{%- for message in messages %}
{%- if message.role == 'system' %}
{{- message.content ~ ' ' }}
{%- elif message.role == 'user' %}
{{- 'USER: ' ~ message.content ~ ' ' }}
{%- else %}
{{- 'ASSISTANT: ' ~ message.content ~ eos_token }}
{%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
{{- 'ASSISTANT:' }}
{%- endif %})"},

    // Hugging Face Zephyr, and StableLM Zephyr with another end-of-text.
    {"zephyr", R"({% for message in messages %}
<|{{ message.role }}|>
{{ message.content }}{{ eos_token }}
{% endfor %}
{% if add_generation_prompt %}
<|assistant|>
{% endif %}

)"},
};

}  // namespace

std::vector<std::string_view> ChatTemplate::builtin_names() {
  std::vector<std::string_view> names;
  for (const Row& row : kTemplates) names.push_back(row.name);
  return names;
}

std::string_view ChatTemplate::builtin_source(std::string_view name) {
  const auto row = std::find_if(std::begin(kTemplates), std::end(kTemplates),
                                [&](const Row& candidate) { return candidate.name == name; });
  return row == std::end(kTemplates) ? std::string_view() : row->source;
}

}  // namespace hearth
