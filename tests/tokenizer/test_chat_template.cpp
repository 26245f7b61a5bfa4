// The built-in templates against the examples that their models' makers published, and what the
// wrapper adds to the interpreter.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <ostream>
#include <string>

#include "base/error.h"
#include "tokenizer/chat_template.h"

namespace hearth {
namespace {

using ::testing::HasSubstr;

Vocab vocab_with(std::string bos, std::string eos) {
  Vocab vocab;
  vocab.tokens = {"<unk>", std::move(bos), std::move(eos)};
  vocab.bos = 1;
  vocab.eos = 2;
  return vocab;
}

struct BuiltinCase {
  const char* name;
  const char* bos;
  const char* eos;
  bool with_system;
  const char* expected;
};

void PrintTo(const BuiltinCase& c, std::ostream* out) {
  *out << c.name;
}

const std::vector<PromptMessage>& conversation() {
  static const std::vector<PromptMessage> kMessages = {
      {"system", "Be brief."}, {"user", "Hi"}, {"assistant", "Hello!"}, {"user", "Who are you?"}};
  return kMessages;
}

class Builtin : public testing::TestWithParam<BuiltinCase> {};

TEST_P(Builtin, FollowsThePublishedFormat) {
  const BuiltinCase& expected = GetParam();
  const auto chat = ChatTemplate::builtin(expected.name, vocab_with(expected.bos, expected.eos));
  std::span<const PromptMessage> messages = conversation();
  if (!expected.with_system) messages = messages.subspan(1);
  EXPECT_EQ(chat.render(messages), expected.expected);
}

INSTANTIATE_TEST_SUITE_P(
    ChatTemplate, Builtin,
    testing::Values(
        BuiltinCase{"alpaca", "<s>", "</s>", true,
                    "Be brief.\n\n### Instruction:\nHi\n\n### Response:\nHello!</s>\n\n"
                    "### Instruction:\nWho are you?\n\n### Response:\n"},
        BuiltinCase{"chatml", "", "<|im_end|>", true,
                    "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n"
                    "<|im_start|>assistant\nHello!<|im_end|>\n<|im_start|>user\nWho are "
                    "you?<|im_end|>\n<|im_start|>assistant\n"},
        BuiltinCase{"deepseek", "<|begin|>", "<|end|>", true,
                    "<|begin|>Be brief.\n\nUser: Hi\n\nAssistant: Hello!<|end|>User: Who are "
                    "you?\n\nAssistant:"},
        BuiltinCase{"gemma", "<bos>", "<eos>", false,
                    "<bos><start_of_turn>user\nHi<end_of_turn>\n<start_of_turn>model\nHello!"
                    "<end_of_turn>\n<start_of_turn>user\nWho are you?<end_of_turn>\n"
                    "<start_of_turn>model\n"},
        BuiltinCase{"gemma", "<bos>", "<eos>", true,
                    "<bos><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\n"
                    "Hello!<end_of_turn>\n<start_of_turn>user\nWho are you?<end_of_turn>\n"
                    "<start_of_turn>model\n"},
        BuiltinCase{"llama2", "<s>", "</s>", true,
                    "<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello! </s>"
                    "<s>[INST] Who are you? [/INST]"},
        BuiltinCase{"llama3", "<|begin_of_text|>", "<|end_of_text|>", true,
                    "<|begin_of_text|><|start_header_id|>system<|end_header_id|>\n\nBe brief."
                    "<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>"
                    "<|start_header_id|>assistant<|end_header_id|>\n\nHello!<|eot_id|>"
                    "<|start_header_id|>user<|end_header_id|>\n\nWho are you?<|eot_id|>"
                    "<|start_header_id|>assistant<|end_header_id|>\n\n"},
        BuiltinCase{"mistral", "<s>", "</s>", false,
                    "<s>[INST] Hi [/INST] Hello!</s>[INST] Who are you? [/INST]"},
        BuiltinCase{"phi3", "<s>", "<|endoftext|>", true,
                    "<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello!"
                    "<|end|>\n<|user|>\nWho are you?<|end|>\n<|assistant|>\n"},
        BuiltinCase{"vicuna", "<s>", "</s>", true,
                    "<s>Be brief. USER: Hi ASSISTANT: Hello!</s>USER: Who are you? ASSISTANT:"},
        BuiltinCase{"zephyr", "<s>", "</s>", true,
                    "<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello!</s>\n"
                    "<|user|>\nWho are you?</s>\n<|assistant|>\n"}),
    [](const auto& row) {
      return std::string(row.param.name) + (row.param.with_system ? "" : "WithoutSystem");
    });

TEST(ChatTemplate, WithoutAGenerationPromptEndsWithTheLastMessage) {
  const auto chat = ChatTemplate::builtin("chatml", vocab_with("", ""));
  const PromptMessage hi{"user", "Hi"};
  EXPECT_EQ(chat.render(std::span(&hi, 1), {.add_generation_prompt = false}),
            "<|im_start|>user\nHi<|im_end|>\n");
}

TEST(ChatTemplate, GivesTheTemplateToolsExtraMembersAndMoreVariables) {
  const auto chat = ChatTemplate::from_source(
      "{{ tools[0].name }},{{ messages[0].name }},{{ enable_thinking }}", "t", Vocab());
  const PromptMessage message{"tool", "42", {{"name", "adder"}}};
  EXPECT_EQ(chat.render(std::span(&message, 1), {.tools = {{{"name", "clock"}}},
                                                 .variables = {{"enable_thinking", false}}}),
            "clock,adder,False");
  EXPECT_TRUE(chat.takes_tools());
}

TEST(ChatTemplate, AModelWithoutOneIsToldWhatToDo) {
  try {
    ChatTemplate::of_model(Vocab());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("--template NAME|FILE"));
    EXPECT_THAT(error.what(), HasSubstr("alpaca, chatml, deepseek, gemma, llama2, llama3"));
  }
}

TEST(ChatTemplate, AnUnknownNameListsTheKnownOnes) {
  try {
    ChatTemplate::builtin("chatmi", Vocab());
    FAIL();
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr("chatml"));
    EXPECT_EQ(error.parts().got, "\"chatmi\"");
  }
}

TEST(ChatTemplate, ARefusedSystemPromptIsSaidInTheTemplatesOwnWords) {
  Vocab vocab;
  vocab.chat_template =
      "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}"
      "{% endif %}";
  const auto chat = ChatTemplate::of_model(vocab);
  try {
    chat.render(conversation());
    FAIL();
  } catch (const Error& error) {
    EXPECT_STREQ(error.what(), "chat template:1:41: System role not supported");
  }
}

}  // namespace
}  // namespace hearth
