package rpc

import (
	"fmt"
	"strings"

	"google.golang.org/grpc"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"

	corev1 "github.com/provenir/provenir/gen/provenir/core/v1"
)

// Access is the access option of each method by its full name, "/package.Service/Method".
type Access map[string]*corev1.Access

// open are the methods of others that carry no option of ours.
var open = map[string]bool{"/grpc.health.v1.Health/Check": true, "/grpc.health.v1.Health/Watch": true, "/grpc.health.v1.Health/List": true}

// ReadAccess collects the options of every method that a server has. A method without one is an error: nothing may be
// served that nobody decided about.
func ReadAccess(s *grpc.Server) (Access, error) {
	out := Access{}
	for service, info := range s.GetServiceInfo() {
		for _, m := range info.Methods {
			full := "/" + service + "/" + m.Name
			if open[full] {
				out[full] = &corev1.Access{Role: corev1.Role_ROLE_ANYONE, Resource: "health"}
				continue
			}
			a, err := accessOf(service, m.Name)
			if err != nil {
				return nil, err
			}
			out[full] = a
		}
	}
	return out, nil
}

func accessOf(service, method string) (*corev1.Access, error) {
	d, err := protoregistry.GlobalFiles.FindDescriptorByName(protoreflect.FullName(service))
	if err != nil {
		return nil, fmt.Errorf("find %s: %w", service, err)
	}
	sd, ok := d.(protoreflect.ServiceDescriptor)
	if !ok {
		return nil, fmt.Errorf("%s is no service", service)
	}
	m := sd.Methods().ByName(protoreflect.Name(method))
	if m == nil || !proto.HasExtension(m.Options(), corev1.E_Access) {
		return nil, fmt.Errorf("%s/%s has no access option", service, method)
	}
	a, ok := proto.GetExtension(m.Options(), corev1.E_Access).(*corev1.Access)
	if !ok || a.GetRole() == corev1.Role_ROLE_UNSPECIFIED || strings.TrimSpace(a.GetResource()) == "" {
		return nil, fmt.Errorf("%s/%s: access needs a role and a resource", service, method)
	}
	return a, nil
}
