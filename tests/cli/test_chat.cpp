// hearth chat, with the model in the box.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "tests/support/builtin_model_test.h"
#include "tests/support/run_hearth.h"
#include "tests/support/temp_dir.h"
#include "tests/support/terminal_session.h"

namespace hearth {
namespace {

using nlohmann::json;
using test::ProgramResult;
using test::run_hearth;
using test::TerminalSession;
using testing::HasSubstr;
using testing::Not;

class ChatInAPipe : public test::BuiltinModelTest {};
class ChatOnATerminal : public test::BuiltinModelTest {};

ProgramResult chat(const std::string& input, std::vector<std::string> args = {}) {
  args.insert(args.begin(), {"chat", "--temp", "0", "-t", "1"});
  return run_hearth(args, input);
}

json saved(const std::filesystem::path& path) {
  std::ifstream file(path);
  return json::parse(file);
}

TEST_F(ChatInAPipe, AnswersALineAtATime) {
  const ProgramResult result = chat("Hello\n\nWhat is your name?\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.err, "");
  EXPECT_EQ(std::count(result.out.begin(), result.out.end(), '\n'), 2);
  EXPECT_THAT(result.out, Not(HasSubstr("\x1b")));
  EXPECT_EQ(chat("Hello\n\nWhat is your name?\n").out, result.out);
  EXPECT_THAT(result.out, testing::StartsWith(chat("Hello\n").out));
}

TEST_F(ChatInAPipe, CommandsSayWhatTheyDidOnStderr) {
  const ProgramResult result =
      chat("/help\n/stats\n/system You are a cat.\n/system\n/clear\n/quit\n");
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_EQ(result.out, "");
  for (const char* command : {"/help", "/clear", "/system", "/save", "/load", "/regen", "/stats"}) {
    EXPECT_THAT(result.err, HasSubstr(command));
  }
  EXPECT_THAT(result.err, HasSubstr("system prompt: You are a cat."));
}

TEST_F(ChatInAPipe, SavesLoadsAndRegenerates) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  const ProgramResult first = chat("Hello\n/regen\nHow are you?\n/save " + path + "\n");
  ASSERT_EQ(first.exit_code, 0) << first.err;
  const json messages = saved(path)["messages"];
  ASSERT_EQ(messages.size(), 4u);
  EXPECT_EQ(messages[0]["content"], "Hello");
  EXPECT_EQ(messages[2]["content"], "How are you?");
  // Greedily, the answer after loading is the one that the same conversation gives at once.
  const ProgramResult later = chat("/load " + path + "\nWhy?\n");
  const ProgramResult at_once = chat("Hello\nHow are you?\nWhy?\n");
  ASSERT_EQ(later.exit_code, 0) << later.err;
  EXPECT_THAT(at_once.out, testing::EndsWith(later.out));
}

TEST_F(ChatInAPipe, MessagesOfSeveralLines) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  const ProgramResult result =
      chat("\"\"\"one\ntwo\n\nthree\"\"\"\nfour\\\nfive\n//slash\n\"\"\"short\"\"\"\n/save " +
               path + "\n",
           {"-n", "2"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const json messages = saved(path)["messages"];
  ASSERT_EQ(messages.size(), 8u);
  EXPECT_EQ(messages[0]["content"], "one\ntwo\n\nthree");
  EXPECT_EQ(messages[2]["content"], "four\nfive");
  EXPECT_EQ(messages[4]["content"], "/slash");
  EXPECT_EQ(messages[6]["content"], "short");
}

TEST_F(ChatInAPipe, BytesThatAreNotTextDoNoHarm) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  const ProgramResult result = chat("a\xFF\xED\x95z\n/save " + path + "\n", {"-n", "3"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(saved(path)["messages"][0]["content"], "a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz");
}

TEST_F(ChatInAPipe, WhatFailsEndsItWithOneLine) {
  const ProgramResult unknown = chat("/frobnicate\nHello\n");
  EXPECT_EQ(unknown.exit_code, 1);
  EXPECT_EQ(unknown.out, "");
  EXPECT_THAT(unknown.err, HasSubstr("/frobnicate: no such command"));
  EXPECT_EQ(std::count(unknown.err.begin(), unknown.err.end(), '\n'), 1);
  EXPECT_EQ(chat("/load /no/such/file\n").exit_code, 1);
  EXPECT_EQ(chat("/save\n").exit_code, 1);
  EXPECT_EQ(chat("/regen\n").exit_code, 1);
  EXPECT_EQ(chat("Hi\n", {"--system", "@/no/such/file"}).exit_code, 1);
  EXPECT_EQ(chat("Hi\n", {"--template", "/no/such/template"}).exit_code, 1);
  EXPECT_EQ(chat("Hi\n", {"--overflow", "sometimes"}).exit_code, 2);
}

std::string long_message() {
  std::string text;
  for (int i = 0; i < 40; ++i) text += "Tell me a story about a cat and a dog. ";
  return text + "\n";
}

TEST_F(ChatInAPipe, WhatDoesNotFitIsAnErrorWithTheNumbers) {
  const ProgramResult result = chat(long_message(), {"-c", "64"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("at most 48 tokens (a context of 64 less 16"));
}

TEST_F(ChatInAPipe, DropOldestSaysWhatItDropped) {
  std::string turns;
  for (int i = 0; i < 12; ++i) turns += "Hello there, my friend.\n";
  const ProgramResult result =
      chat(turns, {"-c", "96", "--overflow", "drop-oldest", "--system", "Be kind.", "-n", "8"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_THAT(result.err, HasSubstr("no longer sees the oldest"));
  EXPECT_EQ(chat(turns, {"-c", "96", "-n", "8"}).exit_code, 1);
}

TEST_F(ChatInAPipe, TheSystemPromptComesFromTextOrFile) {
  test::TempDir dir;
  const std::string path = (dir / "system.txt").string();
  std::ofstream(path) << "You are a cat.";
  for (const std::vector<std::string>& args :
       {std::vector<std::string>{"--system", "You are a cat."},
        {"--system", "@" + path},
        {"--system-file", path}}) {
    const ProgramResult result = chat("/system\n", args);
    EXPECT_THAT(result.err, HasSubstr("(system prompt: You are a cat.)")) << args[0];
  }
}

/// Waits for the greeting and the first prompt.
void sees_greeting(TerminalSession& terminal) {
  ASSERT_TRUE(terminal.sees("Ctrl-D leaves.")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
}

TEST_F(ChatOnATerminal, GreetsAnswersAndLeaves) {
  TerminalSession terminal({"chat", "--temp", "0", "-t", "1"});
  ASSERT_TRUE(terminal.sees("toy")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("-m MODEL.gguf")) << terminal.screen();
  sees_greeting(terminal);
  terminal.type("Hello\r");
  ASSERT_TRUE(terminal.sees("tokens/s]")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  terminal.type("/nonsense\r");
  ASSERT_TRUE(terminal.sees("no such command")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  EXPECT_EQ(terminal.leave(), 0) << terminal.screen();
}

TEST_F(ChatOnATerminal, CtrlCStopsTheAnswerAndKeepsTheConversation) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  TerminalSession terminal(
      {"chat", "-t", "1", "-c", "100000", "--ignore-end", "--temp", "2", "--seed", "3"});
  sees_greeting(terminal);
  terminal.type("Hello\r");
  ASSERT_TRUE(terminal.sees("Hello\r\n")) << terminal.screen();
  const std::size_t before = terminal.screen().find("Hello\r\n");
  while (terminal.screen().size() < before + 400) ASSERT_TRUE(terminal.sees(" "));
  terminal.type("\x03");
  ASSERT_TRUE(terminal.sees("(stopped)")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  terminal.type("/save " + path + "\r");
  ASSERT_TRUE(terminal.sees("saved 1 turn")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  terminal.type("/quit\r");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
  const json messages = saved(path)["messages"];
  ASSERT_EQ(messages.size(), 2u);
  EXPECT_EQ(messages[1]["finish"], "cancelled");
  EXPECT_GT(messages[1]["content"].get<std::string>().size(), 50u);
}

TEST_F(ChatOnATerminal, CtrlDDuringAnAnswerLeavesAfterIt) {
  TerminalSession terminal({"chat", "-t", "1", "--ignore-end", "-n", "500", "--seed", "3"});
  sees_greeting(terminal);
  terminal.type("Hello\r");
  ASSERT_TRUE(terminal.sees("Hello\r\n")) << terminal.screen();
  const std::size_t before = terminal.screen().find("Hello\r\n");
  while (terminal.screen().size() < before + 100) ASSERT_TRUE(terminal.sees(" "));
  EXPECT_EQ(terminal.leave(), 0) << terminal.screen();
  EXPECT_THAT(terminal.screen(), HasSubstr("[500 tokens"));
}

TEST_F(ChatOnATerminal, CtrlDLeavesAfterCtrlSpace) {
  TerminalSession terminal({"chat", "-t", "1"});
  sees_greeting(terminal);
  ASSERT_TRUE(terminal.is_edited());
  terminal.type(std::string_view("\0", 1));
  EXPECT_EQ(terminal.leave(), 0) << terminal.screen();
}

TEST_F(ChatOnATerminal, CtrlCAtThePromptLeavesTheSecondTime) {
  TerminalSession terminal({"chat", "-t", "1"});
  sees_greeting(terminal);
  terminal.type("half a mess\x03");
  ASSERT_TRUE(terminal.sees("Ctrl-C again")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  terminal.type("\x03");
  EXPECT_EQ(terminal.wait(), 0) << terminal.screen();
}

TEST_F(ChatOnATerminal, EditsTextOfAnyScript) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  TerminalSession terminal({"chat", "--temp", "0", "-n", "2", "-t", "1"});
  sees_greeting(terminal);
  // The third syllable is typed twice and taken back once: Backspace removes a character, not a
  // byte.
  terminal.type("\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4\xEC\x96\xB4\x7F\r");
  ASSERT_TRUE(terminal.sees("tokens/s]")) << terminal.screen();
  ASSERT_TRUE(terminal.sees("> ")) << terminal.screen();
  terminal.type("/save " + path + "\r");
  ASSERT_TRUE(terminal.sees("saved 1 turn")) << terminal.screen();
  terminal.type("/quit\r");
  EXPECT_EQ(terminal.wait(), 0);
  EXPECT_EQ(saved(path)["messages"][0]["content"], "\xED\x95\x9C\xEA\xB5\xAD\xEC\x96\xB4");
}

TEST_F(ChatOnATerminal, EnterEndsALineWithHalfACharacter) {
  test::TempDir dir;
  const std::string path = (dir / "chat.json").string();
  TerminalSession terminal({"chat", "--temp", "0", "-n", "2", "-t", "1"});
  sees_greeting(terminal);
  terminal.type("half \xEC\x96\r");
  ASSERT_TRUE(terminal.sees("tokens/s]")) << terminal.screen();
  terminal.type("/save " + path + "\r");
  ASSERT_TRUE(terminal.sees("saved 1 turn")) << terminal.screen();
  EXPECT_EQ(terminal.leave(), 0) << terminal.screen();
  EXPECT_EQ(saved(path)["messages"][0]["content"], "half \xEF\xBF\xBD");
}

}  // namespace
}  // namespace hearth
