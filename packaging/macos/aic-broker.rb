# Builds both programs from the release's source. packaging/build fills in version and checksum.
class AicBroker < Formula
  desc "MCP server and sign-in daemon for PingOne Advanced Identity Cloud"
  homepage "https://github.com/aic-broker/aic-broker"
  url "https://github.com/aic-broker/aic-broker/releases/download/v@VERSION@/aic-broker-@VERSION@-source.tar.gz"
  sha256 "@SOURCE_SHA256@"
  license "Apache-2.0"

  depends_on "rust" => :build

  def install
    system "cargo", "install", *std_cargo_args(path: "broker")
    system "cargo", "install", *std_cargo_args(path: "shim")
    generate_completions_from_executable(bin/"aic-broker", "completions", shells: [:bash, :zsh, :fish])
    system bin/"aic-broker", "man", "--to", buildpath
    man1.install Dir[buildpath/"*.1"]
  end

  def caveats
    "Run \"aic-broker install\" to register aic-mcp in the editors of this machine."
  end

  test do
    assert_match version.to_s, shell_output("#{bin}/aic-broker --version")
    assert_match version.to_s, shell_output("#{bin}/aic-mcp --version")
  end
end
