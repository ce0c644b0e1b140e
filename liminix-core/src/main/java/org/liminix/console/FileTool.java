package org.liminix.console;

import com.google.common.base.Splitter;
import com.google.common.hash.HashFunction;
import com.google.common.hash.Hashing;
import com.google.common.io.BaseEncoding;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * The programs of a guest that turn bytes into text, back, and into sums. Of each kind the first
 * that works is taken; whether one works is tried with the three bytes {@code ok\n}.
 */
final class FileTool {
  private FileTool() {}

  /**
   * A way to tell whether a program is there and does what is needed of it.
   *
   * @param name of the program
   * @param trial a command
   * @param expected a pattern of the shell for what it prints
   */
  record Probe(String name, String trial, String expected) {}

  /** Something that has to be tried before it is used. */
  interface Tried {
    Probe probe();
  }

  /**
   * Makes a file of typed lines.
   *
   * @param lines the content in lines that can be typed
   * @param append the command that appends what it is given to a file, without that file
   * @param finish turns that file, the first, into the second
   */
  record Decoder(
      Probe probe,
      Function<byte[], List<String>> lines,
      Function<List<String>, String> append,
      String finish)
      implements Tried {}

  /**
   * Prints a file.
   *
   * @param command prints its standard input as text
   * @param decode reads that
   */
  record Encoder(Probe probe, String command, Function<String, byte[]> decode) implements Tried {}

  /**
   * Sums up a file.
   *
   * @param command prints the sum of its standard input among other words
   * @param sum the same here
   */
  record Summer(Probe probe, String command, Function<byte[], String> sum) implements Tried {}

  /** Of text in one line, which with its command stays below what a line editor takes. */
  private static final int LONG_LINE = 720;

  /** What openssl and uudecode take in one line of base64. */
  private static final int SHORT_LINE = 60;

  static final List<Decoder> DECODERS =
      List.of(
          new Decoder(
              new Probe("base64", "echo b2sK | base64 -d", "ok"),
              content -> base64(content, LONG_LINE),
              FileTool::echo,
              "base64 -d <%s >%s"),
          new Decoder(
              new Probe("openssl", "echo b2sK | openssl base64 -d", "ok"),
              content -> base64(content, SHORT_LINE),
              FileTool::echo,
              "openssl base64 -d <%s >%s"),
          new Decoder(
              new Probe(
                  "uudecode",
                  "printf 'begin-base64 600 x\\nb2sK\\n====\\n' | uudecode -o /dev/stdout",
                  "ok"),
              FileTool::uuencoded,
              FileTool::echo,
              "uudecode -o /dev/stdout %s >%s"),
          new Decoder(
              new Probe("printf", "printf '\\157k'", "ok"),
              FileTool::formats,
              formats ->
                  formats.stream()
                      .map(format -> "printf '" + format + "'")
                      .collect(Collectors.joining("\n", "{\n", "\n}")),
              "cat <%s >%s"));

  static final List<Encoder> ENCODERS =
      List.of(
          encoder("base64", "base64", "b2sK", FileTool::fromBase64),
          encoder("openssl", "openssl base64", "b2sK", FileTool::fromBase64),
          encoder("uuencode", "uuencode -m x", "*b2sK*", FileTool::fromUuencoded),
          encoder("od", "od -An -v -tx1", "*6f*6b*0a*", FileTool::fromHex),
          encoder("hexdump", "hexdump -v -e '32/1 \"%02x\" \"\\n\"'", "6f6b0a*", FileTool::fromHex),
          encoder("xxd", "xxd -p", "6f6b0a", FileTool::fromHex));

  // Some machines have nothing better, and this is against line noise, not enemies.
  @SuppressWarnings("deprecation")
  static final List<Summer> SUMMERS =
      List.of(
          summer("md5sum", "md5sum", Hashing.md5()),
          summer("sha256sum", "sha256sum", Hashing.sha256()),
          summer("sha1sum", "sha1sum", Hashing.sha1()),
          summer("openssl", "openssl dgst -sha256", Hashing.sha256()),
          summer("cksum", "cksum", PosixChecksum::line));

  private static Encoder encoder(
      String name, String command, String ok, Function<String, byte[]> decode) {
    return new Encoder(new Probe(name, "echo ok | " + command, ok), command, decode);
  }

  private static Summer summer(String name, String command, HashFunction hash) {
    return summer(name, command, bytes -> hash.hashBytes(bytes).toString());
  }

  private static Summer summer(String name, String command, Function<byte[], String> sum) {
    String ok = sum.apply(new byte[] {'o', 'k', '\n'}).replace(" ", "*");
    return new Summer(new Probe(name, "echo ok | " + command, "*" + ok + "*"), command, sum);
  }

  private static String echo(List<String> lines) {
    return "echo '" + String.join("\n", lines) + "'";
  }

  /** RFC 4648, section 4. */
  private static List<String> base64(byte[] content, int line) {
    return Splitter.fixedLength(line).splitToList(Base64.getEncoder().encodeToString(content));
  }

  private static List<String> uuencoded(byte[] content) {
    List<String> lines = new ArrayList<>();
    lines.add("begin-base64 600 x");
    lines.addAll(base64(content, SHORT_LINE));
    lines.add("====");
    return lines;
  }

  private static List<String> formats(byte[] content) {
    List<String> formats = new ArrayList<>();
    for (int from = 0, to; from < content.length; from = to) {
      to = Math.min(content.length, from + LONG_LINE);
      String format = ShellWords.escape(content, from, to);
      while (format.length() > LONG_LINE) {
        to = from + (to - from) / 2; // an escape is up to four times as long as its byte
        format = ShellWords.escape(content, from, to);
      }
      formats.add(format);
    }
    return formats;
  }

  private static byte[] fromBase64(String text) {
    return Base64.getMimeDecoder().decode(text);
  }

  /** POSIX XCU uuencode: between the first line and the last. */
  private static byte[] fromUuencoded(String text) {
    List<String> lines = text.lines().toList();
    return fromBase64(String.join("", lines.subList(1, Math.max(1, lines.size() - 1))));
  }

  private static byte[] fromHex(String text) {
    return BaseEncoding.base16().lowerCase().decode(text.replaceAll("\\s", ""));
  }
}
