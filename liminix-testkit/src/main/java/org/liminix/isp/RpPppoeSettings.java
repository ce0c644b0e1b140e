package org.liminix.isp;

import org.liminix.net.Segments;
import org.liminix.net.Spec;
import org.liminix.net.internal.SharedStart;
import org.liminix.qemu.Vm;

/**
 * An immutable description of an ISP made of RP-PPPoE.
 *
 * @param terms those that it has in common with the embedded one
 */
record RpPppoeSettings(IspSettings terms) implements Spec<RpPppoe> {

  @Override
  public RpPppoe start(Segments segments) {
    return start(segments, () -> {});
  }

  @Override
  public RpPppoe start() {
    return SharedStart.of(this::start);
  }

  private RpPppoe start(Segments segments, Runnable onClose) {
    Vm vm = RpPppoeGuest.on(terms.access(), terms.world()).start(segments);
    try {
      RpPppoe isp = new RpPppoe(terms, vm, onClose);
      RpPppoeGuest.serve(vm, terms);
      return isp;
    } catch (RuntimeException | Error e) {
      vm.close();
      throw e;
    }
  }
}
