package org.liminix.isp;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.Segments;
import org.liminix.process.Evidence;
import org.liminix.process.WaitTimeoutException;
import org.liminix.qemu.VmException;

/**
 * RouterOS without RouterOS, which nobody may pass on: a double speaks the documented protocol of
 * its guest agent and understands as much of its language as the library speaks, and an embedded
 * ISP serves in its place. What this cannot show is that RouterOS takes the same for the same;
 * {@link GatewaysIT} does, where there is a disk of it.
 */
@Timeout(60)
class RouterOsTest {
  private static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Segments segments = Segments.isolated();
  private final AgentDouble router = new AgentDouble();

  @AfterEach
  void end() {
    router.close();
    segments.close();
  }

  private RouterOs start(RouterOsBuilder description) {
    RouterOsSettings settings = (RouterOsSettings) description.spec();
    return RouterOs.configure(
        settings.terms(),
        settings.timeout(),
        new RouterOsAgent(router),
        segments,
        router,
        router,
        () -> {});
  }

  private static RouterOsBuilder routerOs() {
    return RouterOs.image(Path.of("chr.img"));
  }

  @Test
  void configuresItAsLiminixDoesAndTheWorldsSideToo() {
    try (RouterOs isp = start(routerOs().likeLiminix().dns("10.0.2.53"))) {
      assertThat(router.scripts.get(0).lines())
          .containsExactly(
              "/system identity set name=\"liminix\"",
              "/interface ethernet",
              "set [ find default-name=ether1 ] disable-running-check=no name=access",
              "set [ find default-name=ether2 ] disable-running-check=no name=world arp=proxy-arp",
              "/ip address add address=10.0.2.1/24 interface=world",
              "/ip pool add name=pppoe-pool ranges=192.168.100.10-192.168.100.99",
              "/ppp profile add name=pppoe-profile local-address=192.168.100.1"
                  + " remote-address=pppoe-pool dns-server=10.0.2.53",
              "/ppp secret add name=\"db123@a.1\" password=\"NotReallyTheSecret\""
                  + " profile=pppoe-profile service=pppoe",
              "/interface pppoe-server server add default-profile=pppoe-profile disabled=no"
                  + " interface=access service-name=\"internet\""
                  + " authentication=chap,mschap2,pap");
      assertThat(isp.localAddress()).hasToString("/192.168.100.1");
      assertThat(isp.worldAddress()).hasToString("/10.0.2.1");
      assertThat(isp.kind()).isEqualTo("RouterOS");
    }
  }

  @Test
  void writesWhatItsLanguageGivesAMeaningAsBytes() {
    assertThat(RouterOsScript.quoted("a\"b\\c$d[e]?ü\n"))
        .isEqualTo("\"a\\22b\\5Cc\\24d\\5Be\\5D\\3F\\C3\\BC\\0A\"");
  }

  @Test
  void readsSessionsOffTheWire() throws Exception {
    try (RouterOs isp = start(routerOs().account("ann", "se\"cret"));
        LoadClients clients = new LoadClients(segments, "ann", "se\"cret")) {
      assertThat(clients.dial(1, 1, PATIENCE).opened()).isEqualTo(1);
      IspSession session = isp.awaitSession(PATIENCE);
      PppSession own = router.isp().sessions().get(0);
      assertThat(session.id()).isEqualTo(own.id());
      assertThat(session.user()).isEqualTo("ann");
      assertThat(session.address()).isEqualTo(own.address());
      assertThat(session.peer()).isEqualTo(own.peer());
      own.drop();
      session.awaitEnd(PATIENCE);
      assertThat(isp.sessions()).isEmpty();
    }
  }

  @Test
  void hasItTerminateASession() throws Exception {
    try (RouterOs isp = start(routerOs().account("ann", "secret"));
        LoadClients clients = new LoadClients(segments, "ann", "secret")) {
      clients.dial(2, 2, PATIENCE);
      IspSession session = isp.awaitSession(PATIENCE);
      session.terminate();
      session.awaitEnd(PATIENCE);
      assertThat(router.scripts.get(1))
          .isEqualTo(
              "/ppp active remove [ find name=\"ann\" address=%s ]\n"
                  .formatted(session.address().getHostAddress()));
      assertThat(isp.sessions()).hasSize(1);
      assertThat(session.isOpen()).isFalse();
    }
  }

  @Test
  void saysWhyItDoesNotServe() {
    router.complaint = "syntax error (line 1 column 9)";
    assertThatExceptionOfType(WaitTimeoutException.class)
        .isThrownBy(() -> start(routerOs().likeLiminix().timeout(Duration.ofMillis(300))))
        .withMessageContainingAll(
            "No offer of PPPoE by liminix", "exit code 1", "syntax error (line 1 column 9)");
  }

  @Test
  void saysWhereToGetADisk(@TempDir Path directory) throws Exception {
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(() -> routerOs().likeLiminix().start(segments))
        .withMessageContainingAll(
            "chr.img", "MikroTik's download page", "Cloud Hosted Router", "licence");
    Path packed = Files.createFile(directory.resolve("chr.img.zip"));
    assertThatExceptionOfType(VmException.class)
        .isThrownBy(() -> RouterOs.image(packed).likeLiminix().start(segments))
        .withMessageContaining("unpack it");
  }

  /** The agent, and behind it an ISP that is what the scripts say. */
  private final class AgentDouble implements RouterOsAgent.Channel, Evidence, AutoCloseable {
    final List<String> scripts = new ArrayList<>();
    @Nullable String complaint;
    private @Nullable BorderNetworkGateway isp;

    BorderNetworkGateway isp() {
      assertThat(isp).isNotNull();
      return isp;
    }

    @Override
    public JsonElement execute(String command, Map<String, ?> arguments) {
      JsonObject answer = new JsonObject();
      switch (command) {
        case "guest-exec" -> {
          assertThat(arguments).doesNotContainKeys("path", "arg", "env");
          byte[] script = Base64.getDecoder().decode((String) arguments.get("input-data"));
          scripts.add(new String(script, StandardCharsets.UTF_8));
          if (complaint == null) {
            run(scripts.get(scripts.size() - 1));
          }
          answer.add("pid", new JsonPrimitive(scripts.size()));
        }
        case "guest-exec-status" -> {
          assertThat(arguments.get("pid")).isEqualTo((long) scripts.size());
          answer.addProperty("exited", true);
          answer.addProperty("exitcode", complaint == null ? 0 : 1);
          if (complaint != null) {
            byte[] said = complaint.getBytes(StandardCharsets.UTF_8);
            answer.addProperty("err-data", Base64.getEncoder().encodeToString(said));
          }
        }
        case "guest-info" -> answer.add("supported_commands", new JsonArray());
        default -> throw new AssertionError("RouterOS's agent has no " + command);
      }
      return answer;
    }

    private void run(String script) {
      if (script.startsWith("/ppp active remove")) {
        String address = word(script, "address=(\\S+)");
        isp().sessions().stream()
            .filter(session -> session.address().getHostAddress().equals(address))
            .forEach(PppSession::terminate);
        return;
      }
      String[] pool = word(script, "ranges=(\\S+)").split("-", 2);
      isp =
          BorderNetworkGateway.account(
                  text(word(script, "secret add name=\"([^\"]*)\"")),
                  text(word(script, "password=\"([^\"]*)\"")))
              .pool(pool[0], pool[1])
              .localAddress(word(script, "local-address=(\\S+)"))
              .worldAddress(word(script, "ip address add address=(\\S+)"))
              .acName(text(word(script, "identity set name=\"([^\"]*)\"")))
              .start(segments);
    }

    private String word(String script, String pattern) {
      Matcher matcher = Pattern.compile(pattern).matcher(script);
      assertThat(matcher.find()).as(script).isTrue();
      return matcher.group(1);
    }

    private String text(String constant) {
      return Pattern.compile("\\\\([0-9A-F]{2})")
          .matcher(constant)
          .replaceAll(hex -> String.valueOf((char) Integer.parseInt(hex.group(1), 16)));
    }

    @Override
    public String summary() {
      return "a double of RouterOS";
    }

    @Override
    public void saveTo(Path directory) {}

    @Override
    public void close() {
      if (isp != null) {
        isp.close();
        isp = null;
      }
    }
  }
}
