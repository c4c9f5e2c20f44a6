// as: services/tenants/src/tenant/tenant.domain.ts
// breaks: stint/layer | A *.domain.ts must not import @nestjs/common. A domain file is pure
import { Injectable } from '@nestjs/common';

export const decorate = Injectable;
