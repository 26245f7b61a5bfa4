#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/error.h"
#include "base/output_file.h"
#include "tests/support/temp_dir.h"

namespace hearth {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

std::string contents(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::span<const std::byte> bytes_of(std::string_view text) {
  return std::as_bytes(std::span(text.data(), text.size()));
}

std::ptrdiff_t files_in(const fs::path& folder) {
  return std::distance(fs::directory_iterator(folder), fs::directory_iterator());
}

// The largest file that this process may write, as a full disk would limit it.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limited = old_;
    limited.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    signal(SIGXFSZ, old_handler_);
  }

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

TEST(OutputFile, AppearsOnCommitWithEverythingThatWasWritten) {
  const test::TempDir dir;
  const std::string big(1 << 20, 'x');
  OutputFile file(dir / "out", 10);
  file.write(bytes_of("head "));
  file.write(bytes_of(big));
  file.write(bytes_of(" tail"));
  EXPECT_FALSE(fs::exists(dir / "out"));
  file.commit();
  EXPECT_EQ(contents(dir / "out"), "head " + big + " tail");
  EXPECT_EQ(files_in(dir.path()), 1);
}

TEST(OutputFile, WithoutCommitNothingIsLeftAndTheOldFileStays) {
  const test::TempDir dir;
  std::ofstream(dir / "out") << "old";
  {
    OutputFile file(dir / "out");
    file.write(bytes_of("new"));
  }
  EXPECT_EQ(contents(dir / "out"), "old");
  EXPECT_EQ(files_in(dir.path()), 1);
}

// Where the file system has files without names, as those have that a program of today runs on.
TEST(OutputFile, OfAKilledProcessNothingIsLeft) {
  const test::TempDir dir;
  const int can = open(dir.path().c_str(), O_TMPFILE | O_WRONLY, 0600);
  if (can < 0) GTEST_SKIP() << "no files without names here";
  close(can);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    OutputFile file(dir / "out");
    file.write(bytes_of(std::string(1 << 20, 'x')));
    raise(SIGKILL);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFSIGNALED(status));
  EXPECT_EQ(files_in(dir.path()), 0);
}

TEST(OutputFile, GetsTheModeOfAnyNewFile) {
  const test::TempDir dir;
  OutputFile(dir / "ours").commit();
  std::ofstream(dir / "theirs") << "x";
  EXPECT_EQ(fs::status(dir / "ours").permissions(), fs::status(dir / "theirs").permissions());
}

TEST(OutputFile, ReplacesTheTargetOfALink) {
  const test::TempDir dir;
  std::ofstream(dir / "real") << "old";
  fs::create_symlink(dir / "real", dir / "link");
  OutputFile file(dir / "link");
  file.write(bytes_of("new"));
  file.commit();
  EXPECT_TRUE(fs::is_symlink(dir / "link"));
  EXPECT_EQ(contents(dir / "real"), "new");
}

TEST(OutputFile, AFullDiskIsAnErrorThatNamesTheFileAndLeavesNothing) {
  const test::TempDir dir;
  const FileSizeLimit limit(1 << 16);
  const std::string big(1 << 20, 'x');
  try {
    OutputFile file(dir / "out");
    file.write(bytes_of(big));
    FAIL() << "1 MiB fit into 64 KiB";
  } catch (const Error& error) {
    EXPECT_THAT(error.what(), HasSubstr((dir / "out").string()));
    EXPECT_THAT(error.what(), HasSubstr("File too large"));
  }
  EXPECT_EQ(files_in(dir.path()), 0);
}

TEST(OutputFile, RefusesWhatIsNoFile) {
  const test::TempDir dir;
  EXPECT_THROW(OutputFile{dir.path()}, Error);
  EXPECT_THROW(OutputFile{dir / "missing" / "out"}, Error);
  EXPECT_THROW(OutputFile{"/dev/null"}, Error);
}

}  // namespace
}  // namespace hearth
