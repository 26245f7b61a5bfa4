#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>

#include "base/error.h"
#include "engine/runtime/conversation.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

using testing::HasSubstr;

Conversation sample() {
  return {.system = "Be kind.",
          .turns = {{.user = "Hi \"you\"\n", .answer = "Hello \xF0\x9F\x94\xA5"},
                    {.user = "And?", .answer = "I was", .finish = "cancelled"}}};
}

void write(const std::filesystem::path& path, const std::string& text) {
  std::ofstream(path, std::ios::binary) << text;
}

std::string message_of(const std::filesystem::path& path) {
  try {
    load_conversation(path);
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr(path.string()));
    return error.what();
  }
  return "";
}

TEST(Conversation, GivesTheMessagesOfATemplate) {
  const auto all = sample().messages("Why?");
  ASSERT_EQ(all.size(), 6u);
  EXPECT_EQ(all[0].role, "system");
  EXPECT_EQ(all[4].role, "assistant");
  EXPECT_EQ(all[5].content, "Why?");
  const auto later = sample().messages("Why?", 1);
  ASSERT_EQ(later.size(), 4u);
  EXPECT_EQ(later[0].role, "system");
  EXPECT_EQ(later[1].content, "And?");
}

TEST(Conversation, SurvivesItsFile) {
  test::TempDir dir;
  const auto path = dir / "chat.json";
  save_conversation(sample(), path);
  const Conversation back = load_conversation(path);
  EXPECT_EQ(back.system, "Be kind.");
  ASSERT_EQ(back.turns.size(), 2u);
  EXPECT_EQ(back.turns[0].user, sample().turns[0].user);
  EXPECT_EQ(back.turns[0].answer, sample().turns[0].answer);
  EXPECT_EQ(back.turns[0].finish, "end");
  EXPECT_EQ(back.turns[1].finish, "cancelled");
}

TEST(Conversation, BytesThatAreNotTextBecomeReplacementCharacters) {
  test::TempDir dir;
  Conversation broken = sample();
  broken.turns[1].answer = "a\xED\x95";
  save_conversation(broken, dir / "chat.json");
  EXPECT_EQ(load_conversation(dir / "chat.json").turns[1].answer, "a\xEF\xBF\xBD");
}

TEST(Conversation, AFailedSaveLeavesTheFileAsItWas) {
  test::TempDir dir;
  EXPECT_THROW(save_conversation(sample(), dir / "no" / "such" / "folder.json"), Error);
}

TEST(Conversation, BadFilesAreClearErrors) {
  test::TempDir dir;
  const auto path = dir / "chat.json";
  EXPECT_THAT(message_of(path), HasSubstr("cannot read"));
  const struct {
    std::string text, complaint;
  } cases[] = {
      {"", "not JSON"},
      {"{\"format\": \"hearth-conv", "not JSON"},
      {"[1, 2]", "not a saved conversation"},
      {"{}", "not a saved conversation"},
      {R"({"format": "hearth-conversation"})", "version"},
      {R"({"format": "hearth-conversation", "version": 2, "messages": []})", "got 2"},
      {R"({"format": "hearth-conversation", "version": 1})", "no messages"},
      {R"({"format": "hearth-conversation", "version": 1, "messages": {}})", "no messages"},
      {R"({"format": "hearth-conversation", "version": 1, "messages": [7]})", "message 0"},
      {R"({"format": "hearth-conversation", "version": 1, "messages": [{"role": "user"}]})",
       "message 0 has no text \"content\""},
      {R"({"format": "hearth-conversation", "version": 1, "messages":
          [{"role": "assistant", "content": "x"}]})",
       "message 0 is out of order"},
      {R"({"format": "hearth-conversation", "version": 1, "messages":
          [{"role": "user", "content": "x"}]})",
       "no answer"},
      {std::string(100000, '['), "nested too deeply"},
  };
  for (const auto& [text, complaint] : cases) {
    write(path, text);
    EXPECT_THAT(message_of(path), HasSubstr(complaint)) << text.substr(0, 100);
  }
}

}  // namespace
}  // namespace hearth
