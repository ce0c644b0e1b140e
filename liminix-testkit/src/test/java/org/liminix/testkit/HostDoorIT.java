package org.liminix.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assumptions.assumeThat;
import static org.liminix.net.Network.LAN;
import static org.liminix.net.Network.WORLD;

import java.io.IOException;
import java.net.DatagramPacket;
import java.net.DatagramSocket;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.liminix.net.EthernetHost;
import org.liminix.net.Frame;
import org.liminix.net.FrameLog;
import org.liminix.net.Segments;
import org.liminix.qemu.GuestResult;
import org.liminix.qemu.HostDoor;
import org.liminix.qemu.Vm;

/** QEMU's user-mode network between real peers. */
@Timeout(120)
class HostDoorIT {
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  @TempDir Path directory;

  @BeforeAll
  static void needsNamespaces() {
    assumeThat(LinuxHost.problem()).isEmpty();
  }

  @Test
  void leadsATestToARoutersWebServerAndTheRouterToOneInTheJvm() throws Exception {
    RouterImage image =
        RouterImage.debian(Architecture.MIPSEL)
            .modules("virtio_pci", "virtio_net")
            .file(
                "/etc/rc.d/10-net",
                "ip address add 192.168.1.1/24 dev eth0\nip link set dev eth0 up\n")
            .build();
    try (PageServer server = PageServer.of("from the JVM");
        Segments segments = Segments.isolated();
        Vm router = Vm.mipsel().name("router").image(image).network(LAN).spec().start(segments);
        HostDoor door =
            HostDoor.on(LAN)
                .address("192.168.1.250/24")
                .forward("192.168.1.1", 80)
                .expose(8080, server.port())
                .start(segments)) {
      router
          .shell()
          .run(
              "mkdir -p /tmp/www && echo from the router >/tmp/www/index.html && busybox httpd -p 80 -h /tmp/www")
          .orThrow();
      assertThat(PageServer.get(door.uri("192.168.1.1", 80))).isEqualTo("from the router\n");
      assertThat(router.shell().run("busybox wget -q -O - http://192.168.1.250:8080/").output())
          .isEqualTo("from the JVM");
    }
  }

  @Test
  void carriesManyConnectionsAtOnce() throws Exception {
    Files.writeString(directory.resolve("index.html"), "x".repeat(200_000));
    try (PageServer server = PageServer.of("from the JVM");
        Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(WORLD).address("10.0.2.2/24").start(segments);
        HostDoor door =
            HostDoor.on(WORLD).address("10.0.2.9/24").expose(80, server.port()).start(segments)) {
      host.run("busybox", "httpd", "-p", "80", "-h", directory.toString()).orThrow();
      int port = door.forward("10.0.2.2", 80);
      assertThat(door.forward("10.0.2.2", 80)).isEqualTo(port).isEqualTo(door.port("10.0.2.2", 80));
      for (int i = 0; i < 20; i++) {
        assertThat(PageServer.get(door.uri("10.0.2.2", 80))).hasSize(200_000);
      }
      GuestResult pages = host.run("curl", "-sS", "--parallel", "http://10.0.2.9/[1-20]").orThrow();
      assertThat(pages.output()).isEqualTo("from the JVM".repeat(20));
    }
  }

  @Test
  void carriesDatagramsOfAnySizeBothWays() throws Exception {
    try (DatagramSocket echo = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        DatagramSocket client = new DatagramSocket(0, InetAddress.getLoopbackAddress());
        Segments segments = Segments.isolated();
        LinuxHost host = LinuxHost.on(WORLD).address("10.0.2.2/24").start(segments);
        HostDoor door =
            HostDoor.on(WORLD)
                .address("10.0.2.9/24")
                .exposeUdp(7, echo.getLocalPort())
                .forwardUdp("10.0.2.2", 7)
                .start(segments)) {
      Thread echoing = new Thread(() -> echo(echo));
      echoing.setDaemon(true);
      echoing.start();
      for (int size : new int[] {10, 1400, 5000}) {
        String script =
            "$s=IO::Socket::INET->new(PeerAddr=>'10.0.2.9:7',Proto=>'udp'); $s->send('x' x %d); $s->recv($r,65536); print length $r"
                .formatted(size);
        assertThat(
                host.command("perl", "-MIO::Socket::INET", "-e", script)
                    .timeout(PATIENCE)
                    .run()
                    .output())
            .isEqualTo(Integer.toString(size));
      }
      LinuxProgram server =
          host.start(
              "perl",
              "-MIO::Socket::INET",
              "-e",
              "$|=1; $s=IO::Socket::INET->new(LocalPort=>7,Proto=>'udp'); print \"ready\\n\"; while($s->recv($r,65536)){$s->send($r)}");
      server.expect("ready", PATIENCE);
      client.setSoTimeout(30_000);
      for (int size : new int[] {10, 1400, 5000}) {
        InetSocketAddress to =
            new InetSocketAddress(InetAddress.getLoopbackAddress(), door.udpPort("10.0.2.2", 7));
        client.send(new DatagramPacket(new byte[size], size, to));
        DatagramPacket answer = new DatagramPacket(new byte[65_536], 65_536);
        client.receive(answer);
        assertThat(answer.getLength()).isEqualTo(size);
      }
    }
  }

  private static void echo(DatagramSocket socket) {
    byte[] bytes = new byte[65_536];
    try {
      while (true) {
        DatagramPacket packet = new DatagramPacket(bytes, bytes.length);
        socket.receive(packet);
        socket.send(packet);
      }
    } catch (IOException e) {
      assertThat(socket.isClosed()).isTrue();
    }
  }

  @Test
  void showsTheNetworkNothingElseOfThisMachineOrOfItsStack() throws Exception {
    try (PageServer open = PageServer.of("open");
        PageServer secret = PageServer.of("secret");
        Segments segments = Segments.isolated();
        FrameLog log = segments.get(LAN).log();
        LinuxHost pc = LinuxHost.on(LAN).name("pc").address("192.168.1.2/24").start(segments);
        EthernetHost client = EthernetHost.on(LAN).name("client").start(segments);
        HostDoor door =
            HostDoor.on(LAN)
                .name("door")
                .address("192.168.1.250/24")
                .expose(80, open.port())
                .start(segments)) {
      assertThat(door.name()).isEqualTo("door");
      assertThat(pc.run("curl", "-sS", "http://192.168.1.250/").orThrow().output())
          .isEqualTo("open");
      for (int port : new int[] {secret.port(), open.port()}) {
        assertThat(pc.run("curl", "-sS", "-m", "1", "http://192.168.1.250:" + port + "/").status())
            .as("curl's exit status for a timeout")
            .isEqualTo(28);
      }
      // The stack itself would answer for these: its DNS, the DHCP range, a way to the world.
      for (String other : new String[] {"192.168.0.250", "192.168.3.250", "192.168.1.3"}) {
        pc.run("ip", "route", "replace", other, "dev", "eth0").orThrow();
        assertThat(pc.run("busybox", "arping", "-c", "1", "-w", "1", "-I", "eth0", other).status())
            .isNotZero();
      }
      pc.run("ip", "route", "add", "default", "via", "192.168.1.250").orThrow();
      assertThat(pc.run("curl", "-sS", "-m", "1", "http://127.0.0.1:" + secret.port()).status())
          .isNotZero();
      assertThat(pc.run("curl", "-sS", "-m", "1", "http://198.51.100.1/").status()).isEqualTo(28);
      assertThatThrownBy(() -> client.discover(Duration.ofSeconds(3)))
          .isInstanceOf(org.liminix.process.WaitTimeoutException.class);
      assertThat(pc.run("busybox", "ping", "-c", "1", "-w", "5", "192.168.1.250").status())
          .isZero();

      assertThat(log.frames(frame -> frame.sender().equals("door")))
          .isNotEmpty()
          .allMatch(HostDoorIT::isOfTheDoor);
    }
  }

  private static boolean isOfTheDoor(Frame frame) {
    byte[] door = {(byte) 192, (byte) 168, 1, (byte) 250};
    byte[] bytes = new byte[frame.bytes().remaining()];
    frame.bytes().duplicate().get(bytes);
    boolean arp = bytes[12] == 8 && bytes[13] == 6;
    int at = arp ? 14 + 14 : 14 + 12;
    return java.util.Arrays.equals(bytes, at, at + 4, door, 0, 4);
  }

  @Test
  void refusesWhatCannotBe() {
    assertThatThrownBy(() -> HostDoor.on(LAN).forward("192.168.1.1", 80))
        .hasMessageContaining("give address");
    assertThatThrownBy(
            () -> HostDoor.on(LAN).address("192.168.1.250/24").forward("192.168.2.1", 80))
        .hasMessageContaining("must be another address of the network of 192.168.1.250/24");
    assertThatThrownBy(
            () -> HostDoor.on(LAN).address("192.168.1.250/24").expose(80, 8080).expose(81, 8080))
        .hasMessageContaining("one is exposed once");
    assertThatThrownBy(() -> HostDoor.on(LAN).address("192.168.1.250/24").expose(0, 1))
        .hasMessageContaining("0 is no port");
  }
}
