package abi

import (
	"encoding/binary"
	"net/netip"

	"github.com/wasport/wasport/internal/wasi"
	"github.com/wasport/wasport/network"
)

// sizeControl is the size in bytes of the structure control of docs/abi.md. Its fields are numbered
// as those of network.Control.
const sizeControl = 72

func (c *Caller) setControl(d network.Control) {
	if c.control == nil {
		c.control = new(network.Control)
	}
	*c.control = d
}

// sockRecvControl is sockRecvMsg with the control data of a datagram.
func sockRecvControl(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	out, e := m.Slice(uint32(a[7]), sizeControl)
	if e != wasi.Success {
		return e
	}
	c.setControl(network.Control{})
	if e := recvMsg(c, m, a, c.control); e != wasi.Success {
		return e
	}
	clear(out)
	binary.LittleEndian.PutUint32(out[0:], uint32(c.control.Fields))
	binary.LittleEndian.PutUint32(out[4:], c.control.Interface)
	putHost(out[8:][:wasi.SizeAddr], c.control.Destination)
	putHost(out[32:][:wasi.SizeAddr], c.control.Source)
	binary.LittleEndian.PutUint32(out[56:], uint32(c.control.HopLimit))
	binary.LittleEndian.PutUint32(out[60:], uint32(c.control.TrafficClass))
	binary.LittleEndian.PutUint64(out[64:], uint64(c.control.Time))
	return wasi.Success
}

// putHost writes an address with port 0. One that is not known is 0.0.0.0.
func putHost(b []byte, a netip.Addr) {
	if !a.IsValid() {
		a = netip.IPv4Unspecified()
	}
	wasi.PutAddr(b, netip.AddrPortFrom(a, 0))
}

// sockSendControl is sockSendMsg with control data.
func sockSendControl(c *Caller, m wasi.MemoryView, a []uint64) wasi.Errno {
	in, e := m.Slice(uint32(a[6]), sizeControl)
	if e != wasi.Success {
		return e
	}
	b := [sizeControl]byte(in)
	source, e := wasi.GetAddr(b[32:][:wasi.SizeAddr])
	if e != wasi.Success {
		return e
	}
	fields := network.ControlFields(binary.LittleEndian.Uint32(b[0:]))
	if fields&^network.ControlFieldsAll != 0 {
		return wasi.EINVAL
	}
	c.setControl(network.Control{
		Fields:       fields,
		Interface:    binary.LittleEndian.Uint32(b[4:]),
		HopLimit:     int32(binary.LittleEndian.Uint32(b[56:])),
		TrafficClass: int32(binary.LittleEndian.Uint32(b[60:])),
	})
	if !source.Addr().IsUnspecified() {
		c.control.Source = source.Addr()
	}
	return sendMsg(c, m, a, c.control)
}
