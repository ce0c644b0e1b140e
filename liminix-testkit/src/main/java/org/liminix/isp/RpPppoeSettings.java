package org.liminix.isp;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.liminix.net.Network;
import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.Ipv4Prefix;
import org.liminix.net.internal.SharedStart;
import org.liminix.qemu.Vm;

/**
 * An immutable description of an ISP made of RP-PPPoE.
 *
 * @param accounts secrets by user
 * @param localAddress its own end of every session
 * @param poolFirst the first address for clients
 * @param poolLast the last one
 * @param worldAddress where hosts of the world network find it
 */
record RpPppoeSettings(
    Network access,
    Network world,
    Map<String, String> accounts,
    int localAddress,
    int poolFirst,
    int poolLast,
    Ipv4Prefix worldAddress,
    List<Integer> dns,
    List<AuthMethod> authMethods,
    String acName,
    String serviceName,
    Duration echoInterval,
    int echoLimit)
    implements Spec<RpPppoe> {

  static RpPppoeSettings of(IspSettings terms) {
    return new RpPppoeSettings(
        terms.access(),
        terms.world(),
        terms.secrets(),
        terms.localAddress(),
        terms.poolFirst(),
        terms.poolLast(),
        terms.worldAddress(),
        terms.dns(),
        terms.authMethods(),
        terms.acName(),
        terms.services().get(0),
        terms.echoInterval(),
        terms.echoLimit());
  }

  @Override
  public RpPppoe start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public RpPppoe start() {
    return SharedStart.of(this::start);
  }

  private RpPppoe start(Segments segments, Runnable onClose) {
    Vm vm = RpPppoeGuest.on(access, world).start(segments);
    try {
      RpPppoe isp = new RpPppoe(this, vm, onClose);
      RpPppoeGuest.serve(vm, this);
      return isp;
    } catch (RuntimeException | Error e) {
      vm.close();
      throw e;
    }
  }
}
